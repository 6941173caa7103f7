package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.Console;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.Session;
import picocli.CommandLine.Option;

/** The options of commands that run a model as it is. */
final class DeviceSettings {
  /** Beyond it the machine starts threads for minutes, and a slip of the finger it is. */
  private static final int MOST_THREADS = 4096;

  @Option(
      names = "--device",
      defaultValue = "auto",
      description = "auto, cpu, cuda, cuda:N, tensorrt or tensorrt:N (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads for one operator; 0 leaves it to ONNX Runtime (default: 0).")
  private int threads;

  RunOptions options(Console console) {
    if (threads < 0 || threads > MOST_THREADS) {
      throw new BadInputException(
          "--threads: found %d, expected 0 to %d".formatted(threads, MOST_THREADS));
    }
    Device wanted = Device.parse(device);
    Session.requireDevice(wanted);
    return new RunOptions(wanted, threads, console::say);
  }
}
