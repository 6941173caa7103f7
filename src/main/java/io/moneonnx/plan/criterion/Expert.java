package io.moneonnx.plan.criterion;

import io.moneonnx.profile.ExpertSums;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One expert's numbers as a criterion reads them. {@code f} is its output, {@code g} the
 * coefficient that it is multiplied by.
 *
 * @param sums those of its block
 * @param largest the largest variance {@code V} that is known in its block
 */
public record Expert(String block, ExpertSums sums, int index, double largest) {
  /** The experts of a block. Where no variance is known at all, they count as equal. */
  public static List<Expert> of(String block, ExpertSums sums) {
    double largest =
        IntStream.range(0, sums.experts())
            .filter(expert -> sums.n().get(expert) > 1)
            .mapToDouble(expert -> variance(sums, expert))
            .max()
            .orElse(1);
    return IntStream.range(0, sums.experts())
        .mapToObj(expert -> new Expert(block, sums, expert, largest))
        .toList();
  }

  private static double variance(ExpertSums sums, int expert) {
    return sums.m2().get(expert) / (sums.n().get(expert) - 1);
  }

  /** Tokens that reached the block. */
  public double tokens() {
    return sums.t();
  }

  /** Tokens that chose this expert. */
  public double n() {
    return sums.n().get(index);
  }

  /**
   * {@code sqrt(V)}; for an expert chosen once, the block's largest: an unknown spread is not a low
   * one.
   */
  public double spread() {
    return Math.sqrt(n() > 1 ? variance(sums, index) : largest);
  }

  /** {@code sum g}. */
  public double g1() {
    return sums.g1().get(index);
  }

  /** {@code sum ||f||}. */
  public double a1() {
    return sums.a1().get(index);
  }

  /** {@code sum ||f||^2}. */
  public double a2() {
    return sums.a2().get(index);
  }

  /** {@code sum g ||f||}. */
  public double b1() {
    return sums.b1().get(index);
  }

  /** {@code sum g^2 ||f||^2}. */
  public double b2() {
    return sums.b2().get(index);
  }

  /** {@code sum g^2 ||f - gmean||^2}. */
  public double r2() {
    return sums.r2().get(index);
  }
}
