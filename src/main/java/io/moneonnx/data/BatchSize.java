package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How many samples the model is fed at a time.
 *
 * @param isFixed whether the model takes no smaller batches
 */
record BatchSize(int samples, boolean isFixed) {
  static BatchSize choose(OptionalInt asked, ModelInputs inputs) {
    OptionalLong fixed = inputs.batch();
    int batch = asked.orElse((int) fixed.orElse(1));
    if (fixed.isPresent() && fixed.getAsLong() != batch) {
      throw new BadInputException(
          "batch size %d, but the model takes exactly %d samples at a time"
              .formatted(batch, fixed.getAsLong()));
    }
    return new BatchSize(batch, fixed.isPresent());
  }

  /** The last batch may be smaller, unless the model takes no smaller ones. */
  int batches(int given) {
    int incomplete = !isFixed && given % samples > 0 ? 1 : 0;
    return given / samples + incomplete;
  }

  /** How many of so many samples are in a batch. */
  int fed(int given) {
    return (int) Math.min(given, (long) batches(given) * samples);
  }
}
