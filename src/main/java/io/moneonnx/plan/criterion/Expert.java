package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistics;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * One expert's numbers as a criterion reads them.
 *
 * @param sums those of its block, one number an expert
 * @param largest the largest variance {@code V} that is known in its block
 */
public record Expert(Statistics sums, int index, double largest) {
  /** The experts of a block. Where no variance is known at all, they count as equal. */
  public static List<Expert> of(Statistics sums) {
    double largest =
        IntStream.range(0, sums.experts())
            .mapToObj(sums::variance)
            .flatMapToDouble(OptionalDouble::stream)
            .max()
            .orElse(1);
    return IntStream.range(0, sums.experts())
        .mapToObj(expert -> new Expert(sums, expert, largest))
        .toList();
  }

  /** Tokens that reached the block. */
  public double tokens() {
    return sums.get(Statistic.T, 0);
  }

  /** Tokens that chose this expert. */
  public double n() {
    return get(Statistic.N);
  }

  /**
   * {@code sqrt(V)}; for an expert chosen once, the block's largest: an unknown spread is not a low
   * one.
   */
  public double spread() {
    return Math.sqrt(sums.variance(index).orElse(largest));
  }

  /** This expert's number of a statistic; 0 where it is not defined. */
  public double get(Statistic statistic) {
    return sums.orZero(statistic, index);
  }
}
