package io.moneonnx.eval;

import java.util.Collection;
import java.util.List;

/**
 * A mean over sequences.
 *
 * @param standardError of the mean; not a number where there is one sequence only
 */
public record Estimate(double mean, double standardError) {
  /** A difference of less than so many of its standard errors may be chance. */
  public static final double ERRORS = 2;

  /** True of an increase that may as well be none; of one sequence nothing is known. */
  public boolean mayBeChance() {
    return !(mean > ERRORS * standardError);
  }

  /** The mean of numbers of which each is as good as another. */
  static Estimate of(List<Double> numbers) {
    double mean = numbers.stream().mapToDouble(number -> number).average().orElseThrow();
    double squares =
        numbers.stream().mapToDouble(number -> (number - mean) * (number - mean)).sum();
    return new Estimate(mean, Math.sqrt(squares / (numbers.size() - 1) / numbers.size()));
  }

  /** The mean of independent estimates, each counted alike. */
  public static Estimate mean(Collection<Estimate> estimates) {
    double sum = estimates.stream().mapToDouble(Estimate::mean).sum();
    double variance = estimates.stream().mapToDouble(e -> e.standardError * e.standardError).sum();
    return new Estimate(sum / estimates.size(), Math.sqrt(variance) / estimates.size());
  }
}
