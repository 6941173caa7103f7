package io.moneonnx.graph;

/** What the user gave cannot be used; the message says what, where and what was wanted instead. */
public final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BadInputException(String message) {
    super(message);
  }

  public BadInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
