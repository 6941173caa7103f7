package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.graph.BadInputException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that read held-out data. */
final class TestOptions {
  @Option(
      names = "--test",
      paramLabel = "[NAME=]FILE",
      arity = "1..*",
      description =
          "Held-out data: text (- is standard input), .jsonl, .json, .csv, .tsv, .parquet, or .npz/.npy arrays named like the model's inputs; each"
              + " file counts alike. Without it: heldout.{txt,jsonl,npz} in the model's directory.")
  private List<String> files = List.of();

  @Mixin private ReadingOptions reading;

  /** Files by name, in the order given; a file without a name is called as it is. */
  Map<String, Path> files() {
    Map<String, Path> named = new LinkedHashMap<>();
    for (String text : files) {
      DataSource source = DataSource.parse("--test", text);
      Path file = source.path();
      String name = source.tag().orElseGet(() -> String.valueOf(file.getFileName()));
      if (named.put(name, file) != null) {
        throw new BadInputException(
            "--test: two files are called '%s'; name them, as in prose=FILE".formatted(name));
      }
    }
    return named;
  }

  CalibrationOptions reading() {
    return reading.options();
  }
}
