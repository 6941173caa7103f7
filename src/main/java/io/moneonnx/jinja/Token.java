package io.moneonnx.jinja;

/**
 * A piece of a template.
 *
 * @param text what it says: of a {@link Kind#STRING} without quotes and escapes
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    /** Put out as it is. */
    DATA,
    STATEMENT_BEGIN,
    PRINT_BEGIN,
    /** Of a statement or of what is printed. */
    TAG_END,
    NAME,
    INTEGER,
    FLOAT,
    STRING,
    OPERATOR,
    END
  }

  boolean is(Kind expected, String expectedText) {
    return kind == expected && text.equals(expectedText);
  }

  /** For messages. */
  String shown() {
    return switch (kind) {
      case DATA -> "text";
      case END -> "the end of the template";
      case STRING -> "the text '" + text + "'";
      default -> "'" + text + "'";
    };
  }
}
