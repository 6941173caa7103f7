package io.moneonnx.eval;

import java.util.SplittableRandom;

/**
 * How many items were answered right.
 *
 * @param right of them
 */
public record Tally(int items, int right) {
  private static final int RESAMPLES = 1000;
  private static final long SEED = 1234;

  Tally plus(Tally other) {
    return new Tally(items + other.items, right + other.right);
  }

  Tally plus(boolean isRight) {
    return plus(new Tally(1, isRight ? 1 : 0));
  }

  /** The part that is right. */
  public double accuracy() {
    return (double) right / items;
  }

  /**
   * The accuracy with its bootstrap standard error: the spread of the accuracies of 1,000 samples
   * as large as this one, drawn from it with replacement. The seed is fixed.
   */
  public Estimate estimate() {
    SplittableRandom random = new SplittableRandom(SEED);
    double sum = 0;
    double squares = 0;
    for (int sample = 0; sample < RESAMPLES; sample++) {
      int drawn = 0;
      for (int i = 0; i < items; i++) {
        drawn += random.nextInt(items) < right ? 1 : 0;
      }
      double off = (double) drawn / items - accuracy();
      sum += off;
      squares += off * off;
    }
    double variance = (squares - sum * sum / RESAMPLES) / (RESAMPLES - 1);
    return new Estimate(accuracy(), Math.sqrt(variance));
  }

  /**
   * The standard error that lm-evaluation-harness prints, {@code sqrt (p (1 - p) / (n - 1))}; not a
   * number of one item.
   */
  public double closedError() {
    return Math.sqrt(accuracy() * (1 - accuracy()) / (items - 1));
  }
}
