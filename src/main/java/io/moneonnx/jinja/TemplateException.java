package io.moneonnx.jinja;

/** A template is not well formed, raises, or uses what is not supported. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean isPlaced;

  TemplateException(String message) {
    this(message, false);
  }

  private TemplateException(String message, boolean isPlaced) {
    super(message);
    this.isPlaced = isPlaced;
  }

  /** The same with the innermost line that it comes from. */
  TemplateException at(int line) {
    return isPlaced
        ? this
        : new TemplateException("line %d: %s".formatted(line, getMessage()), true);
  }
}
