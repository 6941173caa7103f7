package io.moneonnx.verify.golden;

import io.moneonnx.graph.ElementType;
import io.moneonnx.moe.Precision;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How far a figure may be from the recorded one: {@code atol + rtol * scale}, where the scale of a
 * row of {@code n} elements is its rms, or that of all rows of the run over {@code sqrt(n)} where
 * that is more: a few elements near 0 do not say what is small.
 *
 * @param rtol chosen by the precision of the output if absent
 */
public record Tolerance(OptionalDouble rtol, double atol) {
  /** By precision: 1e-4 for float32, 1e-2 for float16, 5e-2 for bfloat16. */
  public static final Tolerance DEFAULT = new Tolerance(OptionalDouble.empty(), 0);

  double relative(Golden.Output output) {
    return rtol.orElseGet(() -> bound(output.precision()));
  }

  /** How far apart scores may be whose order rounding turns over. */
  static double gap(Golden.Router router) {
    return bound(router.precision());
  }

  private static double bound(Optional<ElementType> precision) {
    return new Precision(precision.orElse(ElementType.FLOAT), false).rebuilt();
  }
}
