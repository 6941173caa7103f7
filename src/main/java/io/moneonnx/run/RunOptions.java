package io.moneonnx.run;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.SlotPieces;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * How graphs are run.
 *
 * @param threads threads that share one operator's work; 0 leaves the number to ONNX Runtime
 * @param memory what runs may take
 * @param notices takes one-line messages for the user; each line is said once, however many
 *     sessions are opened with these options
 */
public record RunOptions(Device device, int threads, MemoryLimit memory, Consumer<String> notices) {
  public RunOptions {
    Objects.requireNonNull(device);
    if (threads < 0) {
      throw new IllegalArgumentException("threads: " + threads);
    }
    notices = new Once(notices);
  }

  /** With as much memory as it takes. */
  public RunOptions(Device device, int threads, Consumer<String> notices) {
    this(device, threads, MemoryLimit.NONE, notices);
  }

  /** The same within so much memory. */
  public RunOptions within(MemoryLimit limit) {
    return new RunOptions(device, threads, limit, notices);
  }

  /**
   * A model to run as it is where memory suffices; slots that gather weights take pieces of one
   * expert at a time in runs in which their copies would take too much.
   *
   * @throws BadInputException if the weights alone take more than the user allows
   */
  public Model fitting(Model model) {
    requireWeights(model);
    SlotPieces pieces = SlotPieces.of(model);
    if (pieces.blocks() > 0 && memory.copies() < Long.MAX_VALUE / 4) {
      notices.accept(
          "blocks that copy weights for each slot: %d; in runs of more than %,d slots they read them expert by expert, to stay within %s of memory"
              .formatted(pieces.blocks(), pieces.slots(memory.copies()), memory));
      return pieces.within(memory.copies());
    }
    return model;
  }

  /** The same in all runs: faster wherever an expert has more than a few slots. */
  public Model inPieces(Model model) {
    requireWeights(model);
    SlotPieces pieces = SlotPieces.of(model);
    if (pieces.blocks() > 0) {
      notices.accept(
          "blocks that copy weights for each slot: %d; here they read them expert by expert, for %d slots at a time at most"
              .formatted(pieces.blocks(), SlotPieces.MOST));
    }
    return pieces.always();
  }

  private void requireWeights(Model model) {
    memory.require(
        "the model",
        model.graph().initializers().values().stream()
            .mapToLong(initializer -> initializer.tensor().byteSize())
            .sum());
  }

  /** Says so if more memory than the user allows was in use. */
  void tellOfBreach() {
    PeakMemory.bytes().stream().mapToObj(memory::breach).flatMap(Optional::stream).forEach(notices);
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
