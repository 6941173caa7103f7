package io.moneonnx.eval;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How well a model foresees each of some sequences.
 *
 * @param nats by sequence the mean loss of its tokens, the first left out
 * @param right by sequence the share of these tokens that had the largest logit
 */
public record Losses(List<Double> nats, List<Double> right) {
  public Losses {
    nats = List.copyOf(nats);
    right = List.copyOf(right);
  }

  /** Nats per token: the mean over sequences. */
  public double mean() {
    return Estimate.of(nats).mean();
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
