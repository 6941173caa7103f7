package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import java.util.OptionalInt;

/**
 * What widths of experts keep to.
 *
 * @param weights what an expert's error counts for
 * @param step widths are multiples of it; if absent of 16, or of the largest power of 2 that
 *     divides the neurons of an expert and leaves four steps to them
 * @param minWidth neurons that every expert keeps at least
 */
public record NarrowTerms(Weighting weights, OptionalInt step, int minWidth) {
  /** Balanced weights, the usual step, any width. */
  public static final NarrowTerms DEFAULT =
      new NarrowTerms(Weighting.BALANCED, OptionalInt.empty(), 0);

  public NarrowTerms {
    if (minWidth < 0) {
      throw new BadInputException("min-width: found %d, expected 0 or more".formatted(minWidth));
    } else if (step.isPresent() && step.getAsInt() < 1) {
      throw new BadInputException("step: found %d, expected 1 or more".formatted(step.getAsInt()));
    }
  }

  /** As they are asked for on a command line, without dashes. */
  @Override
  public String toString() {
    return "method narrow, weights "
        + weights
        + (step.isPresent() ? ", step " + step.getAsInt() : "")
        + (minWidth > 0 ? ", min-width " + minWidth : "");
  }
}
