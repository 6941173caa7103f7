package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The options that say how data are read and fed. */
final class ReadingOptions {
  @Option(
      names = "--field",
      paramLabel = "NAME",
      description = "The field of a JSONL line that holds its text (default: text).")
  private String field;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "A Hugging Face tokenizer.json. Without it: the one beside the model.")
  private Path tokenizer;

  @Option(
      names = "--seq-len",
      paramLabel = "N",
      description = "Tokens in a block of text (default: 4096, or what the model can take).")
  private Integer sequenceLength;

  @Option(
      names = "--blocks",
      paramLabel = "N",
      description =
          "At most so many blocks of text or samples, of each tag or test (default: all there"
              + " are).")
  private Integer blocks;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Blocks or samples in one run of the model (default: 1).")
  private Integer batch;

  /** True where the user said anything about it. */
  boolean given() {
    return Stream.of(field, tokenizer, sequenceLength, blocks, batch).anyMatch(Objects::nonNull);
  }

  CalibrationOptions options() {
    return new CalibrationOptions(
        optional(sequenceLength),
        optional(blocks),
        optional(batch),
        field == null ? "text" : field,
        Optional.ofNullable(tokenizer));
  }

  private static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
