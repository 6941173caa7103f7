package io.moneonnx.cli;

import io.moneonnx.pipeline.Console;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import picocli.CommandLine.Option;

/** The options of commands that run a model. */
final class RunSettings {
  @Option(
      names = "--device",
      defaultValue = "auto",
      description = "auto, cpu, cuda or cuda:N (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads for one operator; 0 leaves it to ONNX Runtime (default: 0).")
  private int threads;

  RunOptions options(Console console) {
    if (threads < 0) {
      throw new io.moneonnx.graph.BadInputException(
          "--threads: found " + threads + ", wanted 0 or more");
    }
    return new RunOptions(Device.parse(device), threads, console::say);
  }
}
