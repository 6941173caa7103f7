package io.moneonnx.graph;

/**
 * What the user gave cannot be used. The message names the thing, what was found and what was
 * wanted; the program prints it and ends with exit code 2.
 */
public final class BadInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BadInputException(String message) {
    super(message);
  }

  public BadInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
