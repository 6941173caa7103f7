package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A part of the experts: {@code floor(ratio * E)} of each block, or of the model.
 *
 * @param ratio above 0 and below 1; decimal, so that 0.29 of 100 are 29
 */
public record Ratio(BigDecimal ratio) implements Amount {
  /** Beyond it sums of ratios take memory without end: {@code 1e-999999999} is a number too. */
  private static final int MOST_DIGITS = 18;

  /** As many as tell a million experts apart. */
  private static final int DIGITS = 6;

  public Ratio {
    if (ratio.signum() <= 0 || ratio.compareTo(BigDecimal.ONE) >= 0) {
      boolean isPercent =
          ratio.compareTo(BigDecimal.ONE) > 0 && ratio.compareTo(BigDecimal.valueOf(100)) < 0;
      throw new BadInputException(
          "ratio %s is not between 0 and 1%s"
              .formatted(ratio, isPercent ? "; did you mean " + ratio + "%?" : ""));
    }
    if (ratio.scale() > MOST_DIGITS) {
      throw new BadInputException(
          "ratio %s: expected a number between 0 and 1 with at most %d digits"
              .formatted(ratio, MOST_DIGITS));
    }
  }

  /** Reads a number such as {@code 0.25}, or one in percent such as {@code 25%}. */
  public static Ratio parse(String text) {
    try {
      return new Ratio(
          text.endsWith("%")
              ? percent(text.substring(0, text.length() - 1))
              : new BigDecimal(text));
    } catch (NumberFormatException e) {
      throw new BadInputException("ratio '" + text + "' is no number between 0 and 1", e);
    }
  }

  private static BigDecimal percent(String number) {
    return new BigDecimal(number).movePointLeft(2).stripTrailingZeros();
  }

  /** The least ratios that make one, two and so on of {@code experts}, but not all. */
  static Stream<Ratio> upTo(int experts) {
    return IntStream.range(1, experts).mapToObj(number -> least(number, experts));
  }

  private static Ratio least(int number, int experts) {
    BigDecimal part =
        BigDecimal.valueOf(number)
            .divide(BigDecimal.valueOf(experts), DIGITS, RoundingMode.CEILING)
            .stripTrailingZeros();
    return new Ratio(part);
  }

  @Override
  public Selection from(Candidates candidates, Scope scope) {
    Selection selection = scope.supply(candidates).part(this);
    if (selection.count() == 0) {
      int most = scope.supply(candidates).largest();
      throw new BadInputException(
          "ratio %s prunes no expert: of %d, ratio %s would prune one"
              .formatted(ratio, most, smallestRatio(most)));
    }
    return selection;
  }

  /** All but this part of the experts' bytes. */
  @Override
  public long budget(long modelBytes, long expertBytes, long overhead) {
    return BigDecimal.ONE
        .subtract(ratio)
        .multiply(BigDecimal.valueOf(expertBytes))
        .setScale(0, RoundingMode.FLOOR)
        .longValueExact();
  }

  /** So many of {@code experts}. */
  int of(int experts) {
    return ratio.multiply(BigDecimal.valueOf(experts)).intValue();
  }

  private static String smallestRatio(int experts) {
    return BigDecimal.ONE
        .divide(BigDecimal.valueOf(experts), new MathContext(3, RoundingMode.CEILING))
        .toPlainString();
  }

  @Override
  public String toString() {
    return "ratio " + ratio.toPlainString();
  }
}
