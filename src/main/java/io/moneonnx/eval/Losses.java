package io.moneonnx.eval;

import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How well a model foresees each of some sequences.
 *
 * @param nats by sequence the mean loss of its tokens, the first left out
 * @param right by sequence the share of these tokens that had the largest logit
 * @param tokens by sequence how many these tokens are
 */
public record Losses(List<Double> nats, List<Double> right, List<Integer> tokens) {
  public Losses {
    nats = List.copyOf(nats);
    right = List.copyOf(right);
    tokens = List.copyOf(tokens);
  }

  /** Of one set of sequences and then others. */
  static Losses all(Collection<Losses> parts) {
    return new Losses(
        parts.stream().flatMap(part -> part.nats.stream()).toList(),
        parts.stream().flatMap(part -> part.right.stream()).toList(),
        parts.stream().flatMap(part -> part.tokens.stream()).toList());
  }

  /** Nats per token: the mean over sequences. */
  public double mean() {
    return Estimate.of(nats).mean();
  }

  /** {@code exp} of the mean loss over tokens, of which each counts alike. */
  public double perplexity() {
    double sum =
        IntStream.range(0, nats.size()).mapToDouble(i -> nats.get(i) * tokens.get(i)).sum();
    return Math.exp(sum / tokens.stream().mapToLong(Integer::longValue).sum());
  }

  /** Next-token accuracy: the mean over sequences. */
  public double accuracy() {
    return Estimate.of(right).mean();
  }

  /** How much more is lost than by another model on the same sequences, pair by pair. */
  public Estimate above(Losses other) {
    return Estimate.of(
        IntStream.range(0, nats.size()).mapToObj(i -> nats.get(i) - other.nats.get(i)).toList());
  }
}
