package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.graph.BadInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The options of commands that read held-out data. */
final class TestOptions {
  @Option(
      names = "--test",
      paramLabel = "[NAME=]FILE",
      arity = "1..*",
      description =
          "Held-out data: text, .jsonl, or .npz/.npy arrays named like the model's inputs; each"
              + " file counts alike. Without it: heldout.{txt,jsonl,npz} beside the model.")
  private List<String> files = List.of();

  @Option(
      names = "--field",
      paramLabel = "NAME",
      defaultValue = "text",
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
      description = "Tokens in a sequence of text (default: 4096, or what the model can take).")
  private Integer sequenceLength;

  @Option(
      names = "--blocks",
      paramLabel = "N",
      description = "At most so many sequences of each file (default: all there are).")
  private Integer blocks;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Sequences in one run of the model (default: 1).")
  private Integer batch;

  /** Files by name, in the order given; a file without a name is called as it is. */
  Map<String, Path> files() {
    Map<String, Path> named = new LinkedHashMap<>();
    for (String text : files) {
      int equals = text.indexOf('=');
      boolean isFile = equals <= 0 || Files.exists(Path.of(text));
      Path file = Path.of(isFile ? text : text.substring(equals + 1));
      String name = isFile ? String.valueOf(file.getFileName()) : text.substring(0, equals);
      if (named.put(name, file) != null) {
        throw new BadInputException(
            "--test: two files are called '%s'; name them, as in prose=FILE".formatted(name));
      }
    }
    return named;
  }

  CalibrationOptions reading() {
    return new CalibrationOptions(
        optional(sequenceLength),
        optional(blocks),
        optional(batch),
        field,
        Optional.ofNullable(tokenizer));
  }

  private static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
