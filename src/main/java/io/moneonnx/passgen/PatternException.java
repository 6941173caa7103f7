package io.moneonnx.passgen;

/** A mistake in a pattern file. The message is all there is to say: it carries no stack trace. */
final class PatternException extends RuntimeException {
  PatternException(String message) {
    super(message, null, false, false);
  }
}
