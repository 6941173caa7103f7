package io.moneonnx.cli;

import io.moneonnx.moe.Target;
import io.moneonnx.run.Device;
import io.moneonnx.run.Session;
import picocli.CommandLine.Option;

/** The option of commands that look for blocks. */
final class TargetOption {
  @Option(
      names = "--target",
      description =
          "The execution provider that the model is meant for, where one operator routes"
              + " differently on different ones: ${COMPLETION-CANDIDATES} (default: the device in"
              + " use).")
  private Target target;

  Target or(Device device) {
    if (target != null) {
      return target;
    }
    Device expected = Session.expected(device);
    if (expected instanceof Device.TensorRt) {
      return Target.TENSORRT;
    }
    return expected instanceof Device.Cuda ? Target.CUDA : Target.CPU;
  }
}
