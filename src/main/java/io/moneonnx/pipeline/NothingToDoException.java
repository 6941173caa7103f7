package io.moneonnx.pipeline;

/** The model holds nothing that can be pruned; the program ends with exit code 3. */
public final class NothingToDoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public NothingToDoException(String message) {
    super(message);
  }
}
