package io.moneonnx.cli;

import io.moneonnx.data.DataSource;
import io.moneonnx.pipeline.DataRequest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that test a model on data that it was not calibrated on. */
final class HeldOutOptions {
  @Option(
      names = "--data",
      paramLabel = "SRC",
      arity = "1..*",
      description =
          "Held-out data: text (- is standard input), .jsonl, .json, .csv, .tsv, .parquet, or .npz/.npy arrays named like the model's inputs; "
              + "TAG=SRC to have figures of each tag as well. "
              + "Without it: heldout.{txt,jsonl,npz} in the model's directory.")
  private List<String> files = List.of();

  @Mixin private ReadingOptions reading;

  /** The options about the data that were given. */
  List<String> given() {
    List<String> given = new ArrayList<>(reading.given());
    if (!files.isEmpty()) {
      given.add(0, "--data");
    }
    return given;
  }

  DataRequest request() {
    return new DataRequest(files.stream().map(DataSource::parse).toList(), reading.options());
  }
}
