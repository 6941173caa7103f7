package io.moneonnx.cli;

/**
 * A part of a whole, as users write it: {@code 2%} or {@code 0.02}.
 *
 * @param value 1 is the whole
 */
record Fraction(double value) {
  /**
   * Reads a number of at most 1, or one in percent: who writes 2 means two percent.
   *
   * @throws NumberFormatException if it is neither
   */
  static Fraction parse(String text) {
    if (text.endsWith("%")) {
      return new Fraction(Double.parseDouble(text.substring(0, text.length() - 1)) / 100);
    }
    double value = Double.parseDouble(text);
    if (value > 1) {
      throw new NumberFormatException(text);
    }
    return new Fraction(value);
  }
}
