package io.moneonnx.data;

import io.moneonnx.graph.BadInputException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How calibration data are cut and fed; what is absent is chosen to suit the model.
 *
 * @param sequenceLength tokens in a block of text
 * @param blocks at most so many blocks of text, or samples of arrays, of each tag
 * @param batch blocks or samples in one run of the model
 * @param field the field of a JSON record, or the column of a table, that holds its text
 * @param tokenizer the {@code tokenizer.json} to use instead of the one beside the model
 */
public record CalibrationOptions(
    OptionalInt sequenceLength,
    OptionalInt blocks,
    OptionalInt batch,
    Optional<String> field,
    Optional<Path> tokenizer) {
  public static final CalibrationOptions DEFAULT =
      new CalibrationOptions(
          OptionalInt.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty());

  public CalibrationOptions {
    requirePositive("sequence length", sequenceLength);
    requirePositive("number of blocks", blocks);
    requirePositive("batch size", batch);
  }

  private static void requirePositive(String what, OptionalInt number) {
    if (number.isPresent() && number.getAsInt() < 1) {
      throw new BadInputException(what + ": found " + number.getAsInt() + ", expected 1 or more");
    }
  }
}
