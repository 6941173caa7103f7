package io.moneonnx.data;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * How data are cut to passages.
 *
 * @param reading how they are read and fed: its blocks are windows here, or rows of arrays
 * @param stride tokens from the beginning of one window to that of the next; as many as a window
 *     has where absent
 * @param prefix the token to put before each text, written as it is in text
 */
public record PassageOptions(
    CalibrationOptions reading, OptionalInt stride, Optional<String> prefix) {
  /** True where something is asked for that arrays have no use for. */
  boolean isOfText() {
    return reading.sequenceLength().isPresent() || stride.isPresent() || prefix.isPresent();
  }
}
