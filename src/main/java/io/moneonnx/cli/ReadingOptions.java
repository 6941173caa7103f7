package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say how data are read and fed. */
final class ReadingOptions {
  @Option(
      names = "--field",
      paramLabel = "NAME",
      description =
          "The field of a JSON record, or the column of a table, that holds its text (default: text of a"
              + " record, and of a table its only column).")
  private String field;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "A Hugging Face tokenizer.json. Without it: the one in the model's directory.")
  private Path tokenizer;

  @Option(
      names = "--seq-len",
      paramLabel = "N",
      description = "Tokens in a block of text (default: 4096, or what the model can take).")
  private Integer sequenceLength;

  @Option(
      names = {"--blocks", "--limit"},
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

  /** The options that were given. */
  List<String> given() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("--field", field);
    all.put("--tokenizer", tokenizer);
    all.put("--seq-len", sequenceLength);
    all.put("--blocks", blocks);
    all.put("--batch", batch);
    all.values().removeIf(Objects::isNull);
    return List.copyOf(all.keySet());
  }

  CalibrationOptions options() {
    return new CalibrationOptions(
        OptionValues.optional(sequenceLength),
        OptionValues.optional(blocks),
        OptionValues.optional(batch),
        Optional.ofNullable(field),
        Optional.ofNullable(tokenizer));
  }
}
