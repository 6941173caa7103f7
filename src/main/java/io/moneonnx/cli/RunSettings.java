package io.moneonnx.cli;

import io.moneonnx.pipeline.Console;
import io.moneonnx.run.MemoryLimit;
import io.moneonnx.run.RunOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that run a model, in pieces if need be. */
final class RunSettings {
  @Mixin private DeviceSettings device;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "The memory that runs may take, such as 8GiB or 512MiB: blocks that copy weights for each"
              + " slot read them expert by expert where it would not suffice (default: half of the"
              + " machine's).")
  private String memory;

  RunOptions options(Console console) {
    MemoryLimit limit = memory == null ? MemoryLimit.half() : MemoryLimit.parse(memory);
    return device.options(console).within(limit);
  }
}
