package io.moneonnx.passgen;

/** A mistake in a pattern file. The message is all there is to say: it carries no stack trace. */
final class PatternException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PatternException(String message) {
    super(message, null, false, false);
  }
}
