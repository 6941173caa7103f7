package io.moneonnx.verify;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * How two models' predictions of the next token differ.
 *
 * @param positions positions compared
 * @param divergence mean of the KL divergences of the second model's distributions from the
 *     first's, in nats
 * @param highDivergence their 99th percentile: the least that 99 of 100 positions do not pass
 * @param largestDivergence the largest of them
 * @param agreement share of positions at which both put the same token first
 * @param perplexities empty where no token is known that follows another
 */
public record Predictions(
    long positions,
    double divergence,
    double highDivergence,
    double largestDivergence,
    double agreement,
    Optional<Perplexities> perplexities) {
  private static final double HIGH = 0.99;

  /**
   * How well both foresee the tokens that come next: {@code exp} of the mean loss over all tokens
   * (not over sequences).
   *
   * @param tokens how many were foreseen
   * @param before perplexity of the first model
   * @param after perplexity of the second model
   */
  public record Perplexities(long tokens, double before, double after) {
    /** By which part of itself it grew; not a number where both are infinite. */
    public double increase() {
      return after / before - 1;
    }
  }

  /** Gathers positions run by run; keeps 8 bytes of each. */
  static final class Meter {
    private final DoubleStream.Builder divergences = DoubleStream.builder();
    private long agreed;
    private long foreseen;
    private double loss;
    private double otherLoss;

    void add(List<Position> positions) {
      for (Position position : positions) {
        divergences.add(position.divergence());
        agreed += position.agrees() ? 1 : 0;
        foreseen += position.isForeseen() ? 1 : 0;
        loss += position.loss();
        otherLoss += position.otherLoss();
      }
    }

    /** Empty if no position was added. */
    Optional<Predictions> predictions() {
      double[] sorted = divergences.build().toArray();
      if (sorted.length == 0) {
        return Optional.empty();
      }
      Arrays.sort(sorted);
      return Optional.of(
          new Predictions(
              sorted.length,
              Arrays.stream(sorted).sum() / sorted.length,
              sorted[(int) Math.ceil(HIGH * sorted.length) - 1],
              sorted[sorted.length - 1],
              (double) agreed / sorted.length,
              perplexities()));
    }

    private Optional<Perplexities> perplexities() {
      return foreseen == 0
          ? Optional.empty()
          : Optional.of(
              new Perplexities(
                  foreseen, Math.exp(loss / foreseen), Math.exp(otherLoss / foreseen)));
    }
  }
}
