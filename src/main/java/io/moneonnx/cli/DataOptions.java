package io.moneonnx.cli;

import io.moneonnx.data.DataSource;
import io.moneonnx.pipeline.DataRequest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
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

  @Mixin private ReadingOptions reading;

  @Option(
      names = "--skip-nonfinite",
      description =
          "Leave out and count tokens for which an expert puts out NaN or infinity, instead of"
              + " stopping there.")
  private boolean skipNonFinite;

  /** The options about calibration data that were given. */
  List<String> given() {
    List<String> given = new ArrayList<>(reading.given());
    if (!files.isEmpty()) {
      given.add(0, "--data");
    }
    if (skipNonFinite) {
      given.add("--skip-nonfinite");
    }
    return given;
  }

  DataRequest request() {
    DataRequest request =
        new DataRequest(files.stream().map(DataSource::parse).toList(), reading.options());
    return skipNonFinite ? request.skippingNonFinite() : request;
  }
}
