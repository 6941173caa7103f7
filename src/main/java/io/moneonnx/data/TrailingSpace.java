package io.moneonnx.data;

/** White space at the end of a text: what Python's {@code str.rstrip} takes off. */
final class TrailingSpace {
  private static final char NEXT_LINE = '\u0085';

  private TrailingSpace() {}

  /** Where it begins; the length of the text if there is none. */
  static int start(String text) {
    int start = text.length();
    while (start > 0 && isSpace(text.charAt(start - 1))) {
      start--;
    }
    return start;
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == NEXT_LINE;
  }
}
