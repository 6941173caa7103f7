package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.PassageOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The options of {@code eval} that only perplexity has. */
final class PerplexityOptions {
  @Option(
      names = "--perplexity",
      paramLabel = "SRC",
      arity = "1..*",
      description =
          "Measure the perplexity of text, .jsonl, .json, .csv, .tsv or .parquet (each record a text by itself), or .npz/.npy arrays"
              + " named like the model's inputs (each row a sequence by itself); TAG=SRC to have"
              + " one figure for all files of a tag.")
  private List<String> sources = List.of();

  @Option(
      names = "--window",
      paramLabel = "N",
      description =
          "Tokens of text that the model is fed at a time (default: 4096, or what it can take).")
  private Integer window;

  @Option(
      names = "--stride",
      paramLabel = "N",
      description =
          "Tokens from the beginning of one window to that of the next (default: as many as a"
              + " window has). Fewer give each token more context and take longer.")
  private Integer stride;

  @Option(
      names = "--prefix",
      paramLabel = "TOKEN",
      description =
          "A token to put before each text, such as '<|endoftext|>', so that its first token is"
              + " scored too.")
  private String prefix;

  @Option(
      names = "--field",
      paramLabel = "NAME",
      description =
          "The field of a JSON record, or the column of a table, that holds its text (default: text of a"
              + " record, and of a table its only column).")
  private String field;

  boolean areGiven() {
    return !sources.isEmpty();
  }

  /** The options beside {@code --perplexity} that were given. */
  List<String> details() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("--window", window);
    all.put("--stride", stride);
    all.put("--prefix", prefix);
    all.put("--field", field);
    all.values().removeIf(Objects::isNull);
    return List.copyOf(all.keySet());
  }

  List<DataSource> sources() {
    return sources.stream().map(source -> DataSource.parse("--perplexity", source)).toList();
  }

  PassageOptions cut(Optional<Path> tokenizer, OptionalInt limit, OptionalInt batch) {
    return new PassageOptions(
        new CalibrationOptions(
            OptionValues.optional(window), limit, batch, Optional.ofNullable(field), tokenizer),
        OptionValues.optional(stride),
        Optional.ofNullable(prefix));
  }
}
