package io.moneonnx.cli;

/**
 * A part of a whole, as users write it: {@code 2%} or {@code 0.02}.
 *
 * @param value 1 is the whole
 */
record Fraction(double value) {
  /**
   * Reads a number, or one in percent.
   *
   * @throws NumberFormatException if it is neither
   */
  static Fraction parse(String text) {
    return text.endsWith("%")
        ? new Fraction(Double.parseDouble(text.substring(0, text.length() - 1)) / 100)
        : new Fraction(Double.parseDouble(text));
  }
}
