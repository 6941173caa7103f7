package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.pipeline.DataRequest;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The options of commands that read calibration data. */
final class DataOptions {
  @Option(
      names = "--data",
      paramLabel = "SRC",
      arity = "1..*",
      description =
          "Calibration data: text, .jsonl, or .npz/.npy arrays named like the model's inputs; "
              + "TAG=SRC to have the statistics of each tag as well. "
              + "Without it: calibration.{txt,jsonl,npz} beside the model.")
  List<String> files = List.of();

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
          "At most so many blocks of text or samples, of each tag (default: all there are).")
  private Integer blocks;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Blocks or samples in one run of the model (default: 1).")
  private Integer batch;

  @Option(
      names = "--skip-nonfinite",
      description =
          "Leave out and count tokens for which an expert puts out NaN or infinity, instead of"
              + " stopping there.")
  private boolean skipNonFinite;

  /** The options about calibration data that were given. */
  List<String> given() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("--data", files.isEmpty() ? null : files);
    all.put("--field", field);
    all.put("--tokenizer", tokenizer);
    all.put("--seq-len", sequenceLength);
    all.put("--blocks", blocks);
    all.put("--batch", batch);
    all.put("--skip-nonfinite", skipNonFinite ? true : null);
    all.values().removeIf(Objects::isNull);
    return List.copyOf(all.keySet());
  }

  DataRequest request() {
    CalibrationOptions options =
        new CalibrationOptions(
            optional(sequenceLength),
            optional(blocks),
            optional(batch),
            field == null ? "text" : field,
            Optional.ofNullable(tokenizer));
    DataRequest request = new DataRequest(files.stream().map(DataSource::parse).toList(), options);
    return skipNonFinite ? request.skippingNonFinite() : request;
  }

  private static OptionalInt optional(Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
