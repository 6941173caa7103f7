package io.moneonnx.run;

/** ONNX Runtime, or the machine under it, failed; the message is one line and names the model. */
public final class RuntimeFailureException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RuntimeFailureException(String message) {
    super(message);
  }

  public RuntimeFailureException(String message, Throwable cause) {
    super(message, cause);
  }
}
