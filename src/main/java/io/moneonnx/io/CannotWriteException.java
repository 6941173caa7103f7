package io.moneonnx.io;

/**
 * The machine does not let a model be written: a full disk, a folder without permission. The
 * message names the file and the reason; nothing half-written is left behind.
 */
public final class CannotWriteException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CannotWriteException(String message) {
    super(message);
  }

  public CannotWriteException(String message, Throwable cause) {
    super(message, cause);
  }
}
