package io.moneonnx.plan;

import java.util.Locale;
import java.util.stream.LongStream;

/**
 * The weight of an expert's distortion: {@code s q / T}. {@code s = 1 / E2} is the block's
 * sensitivity, the energy of the residual stream after it; {@code q = (n / mean n)^-beta} favours
 * experts that calibration chose seldom, for data that was not in it.
 */
public enum Weighting {
  /** {@code beta} 0: best on data like the calibration data. */
  HOME(0),
  /** {@code beta} 1/2: halves the damage on other data, at no measurable loss at home. */
  BALANCED(0.5),
  /** {@code beta} 1: each expert as if all were chosen equally often. */
  EVEN(1);

  private final double beta;

  Weighting(double beta) {
    this.beta = beta;
  }

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The weights of a block's experts; 0 for those that no token chose, whose distortion is not
   * known.
   *
   * @param tokens {@code T}, that reached the block
   * @param energy {@code E2 = (1 / T) sum ||h||^2}, {@code h} the residual stream after the block
   * @param calls {@code n}, tokens that chose each expert
   */
  public double[] of(long tokens, double energy, long[] calls) {
    double mean = LongStream.of(calls).average().orElse(0);
    return LongStream.of(calls)
        .mapToDouble(n -> n == 0 ? 0 : Math.pow(n / mean, -beta) / (energy * tokens))
        .toArray();
  }
}
