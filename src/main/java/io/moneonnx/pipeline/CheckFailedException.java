package io.moneonnx.pipeline;

/**
 * A result was computed but is not right; it is not written, and the program ends with exit code 1.
 */
public final class CheckFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CheckFailedException(String message) {
    super(message);
  }
}
