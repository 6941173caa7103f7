package io.moneonnx.passgen;

/**
 * One word of a pattern file.
 *
 * @param line counted from 1, as is {@code column}
 */
record Token(Kind kind, String text, int line, int column) {
  enum Kind {
    NAME,
    NUMBER,
    STRING,
    SYMBOL,
    END
  }

  boolean is(String symbol) {
    return kind != Kind.STRING && text.equals(symbol);
  }

  boolean isInteger() {
    return kind == Kind.NUMBER && text.matches("-?\\d+");
  }

  @Override
  public String toString() {
    return kind == Kind.END ? "the end" : "'" + text + "'";
  }
}
