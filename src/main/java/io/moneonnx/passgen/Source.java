package io.moneonnx.passgen;

/**
 * The text of a pattern file.
 *
 * @param path how messages call the file
 */
record Source(String path, String text) {

  /** {@code path:line:column: what}, the line, and a caret under the column. */
  PatternException error(Token at, String what) {
    String line = text.lines().skip(at.line() - 1L).findFirst().orElse("");
    return new PatternException(
        "%s:%d:%d: %s%n%s%n%s^"
            .formatted(path, at.line(), at.column(), what, line, " ".repeat(at.column() - 1)));
  }

  /** The file's name without its folder and ending. */
  String stem() {
    return path.replaceAll(".*/|\\.pattern$", "");
  }
}
