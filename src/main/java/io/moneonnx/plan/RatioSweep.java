package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Several ratios at equal steps, the last included where the steps meet it. */
public record RatioSweep(List<Ratio> ratios) {
  private static final int MOST = 1000;

  public RatioSweep {
    ratios = List.copyOf(ratios);
  }

  /** Reads {@code FIRST:LAST:STEP}, or a single ratio. */
  public static RatioSweep parse(String text) {
    String[] parts = text.split(":", -1);
    if (parts.length == 1) {
      return new RatioSweep(List.of(Ratio.parse(text)));
    } else if (parts.length != 3) {
      throw new BadInputException(
          "ratio '" + text + "' is neither one ratio nor FIRST:LAST:STEP, such as 0.1:0.5:0.1");
    }
    return between(
        Ratio.parse(parts[0]).ratio(),
        Ratio.parse(parts[1]).ratio(),
        Ratio.parse(parts[2]).ratio());
  }

  private static RatioSweep between(BigDecimal first, BigDecimal last, BigDecimal step) {
    if (first.compareTo(last) > 0) {
      throw new BadInputException(
          "ratio %s:%s: the first is above the last".formatted(first, last));
    }
    if (last.subtract(first).compareTo(step.multiply(BigDecimal.valueOf(MOST))) > 0) {
      throw new BadInputException(
          "ratio %s:%s:%s makes more than %d plans".formatted(first, last, step, MOST));
    }
    List<Ratio> ratios = new ArrayList<>();
    for (BigDecimal next = first; next.compareTo(last) <= 0; next = next.add(step)) {
      ratios.add(new Ratio(next));
    }
    return new RatioSweep(ratios);
  }
}
