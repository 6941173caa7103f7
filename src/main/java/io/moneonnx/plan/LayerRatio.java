package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;

/**
 * The same part of every block: {@code floor(ratio * E)} experts.
 *
 * @param ratio above 0 and below 1; decimal, so that 0.29 of 100 are 29
 */
public record LayerRatio(BigDecimal ratio) implements Budget {
  public LayerRatio {
    if (ratio.signum() <= 0 || ratio.compareTo(BigDecimal.ONE) >= 0) {
      throw new BadInputException("ratio " + ratio + " does not lie between 0 and 1");
    }
  }

  public static LayerRatio parse(String text) {
    try {
      return new LayerRatio(new BigDecimal(text));
    } catch (NumberFormatException e) {
      throw new BadInputException("ratio '" + text + "' is no number between 0 and 1", e);
    }
  }

  @Override
  public List<Integer> pruned(List<Ranking> blocks) {
    List<Integer> experts = blocks.stream().map(Ranking::experts).toList();
    check(experts);
    return experts.stream().map(this::part).toList();
  }

  @Override
  public void check(List<Integer> experts) {
    int most = experts.stream().mapToInt(Integer::intValue).max().orElse(0);
    if (most > 0 && part(most) == 0) {
      throw new BadInputException(
          "ratio %s prunes no expert: of %d, ratio %s would prune one"
              .formatted(ratio, most, smallestRatio(most)));
    }
  }

  private int part(int experts) {
    return ratio.multiply(BigDecimal.valueOf(experts)).intValue();
  }

  private static String smallestRatio(int experts) {
    return BigDecimal.ONE
        .divide(BigDecimal.valueOf(experts), new MathContext(3, RoundingMode.CEILING))
        .toPlainString();
  }
}
