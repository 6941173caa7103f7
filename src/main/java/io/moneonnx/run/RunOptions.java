package io.moneonnx.run;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * How graphs are run.
 *
 * @param threads threads that share one operator's work; 0 leaves the number to ONNX Runtime
 * @param notices takes one-line messages for the user; each line is said once, however many
 *     sessions are opened with these options
 */
public record RunOptions(Device device, int threads, Consumer<String> notices) {
  public RunOptions {
    Objects.requireNonNull(device);
    if (threads < 0) {
      throw new IllegalArgumentException("threads: " + threads);
    }
    notices = new Once(notices);
  }

  /** On the CPU with as many threads as ONNX Runtime likes, and nothing to say. */
  public static RunOptions cpu() {
    return new RunOptions(new Device.Cpu(), 0, notice -> {});
  }

  private record Once(Consumer<String> sink, Set<String> said) implements Consumer<String> {
    Once(Consumer<String> sink) {
      this(sink, ConcurrentHashMap.newKeySet());
    }

    @Override
    public void accept(String notice) {
      if (said.add(notice)) {
        sink.accept(notice);
      }
    }
  }
}
