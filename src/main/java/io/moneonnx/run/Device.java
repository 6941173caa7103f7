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

  /** Reads {@code auto}, {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}. */
  static Device parse(String text) {
    Matcher cuda = Pattern.compile("cuda(?::(\\d{1,4}))?").matcher(text);
    if (cuda.matches()) {
      return new Cuda(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
    }
    return switch (text) {
      case "auto" -> new Auto();
      case "cpu" -> new Cpu();
      default ->
          throw new BadInputException(
              "device '" + text + "' is none of auto, cpu, cuda and cuda:N (N from 0)");
    };
  }
}
