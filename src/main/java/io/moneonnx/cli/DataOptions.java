package io.moneonnx.cli;

import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.pipeline.DataRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that read calibration data. */
final class DataOptions {
  @Option(
      names = "--data",
      paramLabel = "SRC",
      arity = "1..*",
      description =
          "Calibration data: text (- is standard input), .jsonl, .json, .csv, .tsv, .parquet, or .npz/.npy arrays named like the model's inputs; "
              + "TAG=SRC to have the statistics of each tag as well; self or self:TOKENS for text "
              + "that the model writes itself (8192 tokens where no number is given). "
              + "Without it: calibration.{txt,jsonl,npz} in the model's directory.")
  List<String> files = List.of();

  @Mixin private ReadingOptions reading;

  @Option(
      names = "--skip-nonfinite",
      description =
          "Leave out and count tokens for which an expert outputs NaN or infinity, instead of"
              + " stopping there.")
  private boolean skipNonFinite;

  /** The options about calibration data that were given. */
  List<String> given() {
    return Stream.of(measuring(), reading.given()).flatMap(List::stream).toList();
  }

  /** Those of them that say nothing of other data. */
  List<String> measuring() {
    List<String> given = new ArrayList<>();
    if (!files.isEmpty()) {
      given.add("--data");
    }
    if (skipNonFinite) {
      given.add("--skip-nonfinite");
    }
    return given;
  }

  /** How these data are read, and all others. */
  CalibrationOptions reading() {
    return reading.options();
  }

  DataRequest request() {
    DataRequest request =
        new DataRequest(files.stream().map(DataSource::parse).toList(), reading.options());
    return skipNonFinite ? request.skippingNonFinite() : request;
  }
}
