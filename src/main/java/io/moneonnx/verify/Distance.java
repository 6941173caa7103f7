package io.moneonnx.verify;

/**
 * How far numbers are from those that they are compared with. What several runs make is pooled as
 * if it were one tensor: neither measure depends on how data are cut into runs.
 *
 * @param apart largest absolute difference, infinite where one number is finite and the other not
 * @param largest largest absolute number of those compared with
 * @param product sum of products
 * @param squares sum of the squares of those compared with
 * @param otherSquares sum of squares of the others
 */
public record Distance(
    double apart, double largest, double product, double squares, double otherSquares) {
  /** Of no numbers. */
  public static final Distance NONE = new Distance(0, 0, 0, 0, 0);

  /** Numbers that are alike and not finite are left out: masks are full of minus infinity. */
  static Distance of(double[] expected, double[] found) {
    double apart = 0;
    double largest = 0;
    double product = 0;
    double squares = 0;
    double otherSquares = 0;
    for (int i = 0; i < expected.length; i++) {
      double off = Math.abs(found[i] - expected[i]);
      if (off < Double.POSITIVE_INFINITY) {
        apart = Math.max(apart, off);
        largest = Math.max(largest, Math.abs(expected[i]));
        product += expected[i] * found[i];
        squares += expected[i] * expected[i];
        otherSquares += found[i] * found[i];
      } else if (Double.compare(expected[i], found[i]) != 0) {
        apart = Double.POSITIVE_INFINITY;
      }
    }
    return new Distance(apart, largest, product, squares, otherSquares);
  }

  Distance plus(Distance other) {
    return new Distance(
        Math.max(apart, other.apart),
        Math.max(largest, other.largest),
        product + other.product,
        squares + other.squares,
        otherSquares + other.otherSquares);
  }

  /**
   * {@code max|a - b| / max|b|}, {@code b} those compared with; infinite where one is finite only.
   */
  public double relativeError() {
    return apart == 0 || Double.isInfinite(apart)
        ? apart
        : apart / Math.max(largest, Float.MIN_NORMAL);
  }

  /**
   * {@code a b / (|a| |b|)}: 1 where they point the same way; not a number where one is finite
   * only.
   */
  public double cosine() {
    if (apart == 0) {
      return 1;
    }
    if (Double.isInfinite(apart)) {
      return Double.NaN;
    }
    double lengths = Math.sqrt(squares) * Math.sqrt(otherSquares);
    return lengths == 0 ? 0 : Math.max(-1, Math.min(1, product / lengths));
  }
}
