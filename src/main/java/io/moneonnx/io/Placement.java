package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Reason;
import io.moneonnx.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the weights of a written model go. */
public enum Placement {
  /** Into the model file, which then has to stay below protobuf's 2 GiB. */
  INLINE,
  /** All but small ones into one data file beside the model file. */
  EXTERNAL,
  /**
   * They stay in the data files of the model that it is made from, but for what has to move: that
   * goes into a data file of its own.
   */
  LINKED;

  private static final long BIG = 1_500_000_000;

  /**
   * {@code EXTERNAL} for a model that is too big for one file, or whose {@code input} already had
   * weights outside of it.
   */
  public static Placement fitting(Model model, Path input) {
    long bytes = model.tensors().mapToLong(Tensor::byteSize).sum();
    boolean apart = model.sources().anyMatch(file -> !isSame(file, input));
    return bytes > BIG || apart ? EXTERNAL : INLINE;
  }

  private static boolean isSame(Path file, Path input) {
    try {
      return Files.isSameFile(file, input);
    } catch (IOException e) {
      throw new BadInputException(input + ": cannot be read: " + Reason.of(e), e);
    }
  }
}
