package io.moneonnx.run;

import io.moneonnx.graph.BadInputException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a graph runs. */
public sealed interface Device {
  /** CUDA where it works, otherwise the CPU. */
  record Auto() implements Device {
    @Override
    public String toString() {
      return "auto";
    }
  }

  record Cpu() implements Device {
    @Override
    public String toString() {
      return "cpu";
    }
  }

  /** One NVIDIA GPU, numbered from 0. */
  record Cuda(int index) implements Device {
    @Override
    public String toString() {
      return "cuda:" + index;
    }
  }

  /** One NVIDIA GPU, numbered from 0, by TensorRT; what TensorRT does not take goes to CUDA. */
  record TensorRt(int index) implements Device {
    @Override
    public String toString() {
      return "tensorrt:" + index;
    }
  }

  /** Reads {@code auto}, {@code cpu}, {@code cuda} (the first GPU), {@code cuda:N} and so on. */
  static Device parse(String text) {
    Matcher gpu = Pattern.compile("(cuda|tensorrt)(?::(\\d{1,4}))?").matcher(text);
    if (gpu.matches()) {
      int index = gpu.group(2) == null ? 0 : Integer.parseInt(gpu.group(2));
      return gpu.group(1).equals("cuda") ? new Cuda(index) : new TensorRt(index);
    }
    return switch (text) {
      case "auto" -> new Auto();
      case "cpu" -> new Cpu();
      default ->
          throw new BadInputException(
              "device '%s' is none of auto, cpu, cuda, cuda:N, tensorrt and tensorrt:N (N from 0)"
                  .formatted(text));
    };
  }
}
