package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/** How far two tensors are apart. */
public final class Difference {
  private static final double FLOOR = 1e-3;

  private Difference() {}

  /**
   * {@code max|a - b| / max|b|} of floating tensors over what is finite; of any others 0 where they
   * are equal. Infinite where types or shapes differ, or where only one of two elements is finite.
   * Never NaN, which would pass any bound.
   */
  public static double relative(Tensor a, Tensor b) {
    if (a.type() != b.type() || !a.dims().equals(b.dims())) {
      return Double.POSITIVE_INFINITY;
    } else if (!a.type().isFloating()) {
      return a.bytes().equals(b.bytes()) ? 0 : Double.POSITIVE_INFINITY;
    }
    return relative(a.toFloats(), b.toFloats());
  }

  /**
   * The largest of {@code max|a - b| / max|b|} of single rows along the last axis. Rows that are
   * next to nothing beside the largest are taken for as large as {@link #FLOOR} of it.
   */
  static double byRow(Tensor a, Tensor b) {
    double whole = relative(a, b);
    if (whole == 0 || Double.isInfinite(whole) || b.rank() == 0) {
      return whole;
    }
    float[] found = a.toFloats();
    float[] expected = b.toFloats();
    int width = b.dims().get(b.rank() - 1).intValue();
    double least = Math.max(FLOOR * largest(expected, 0, expected.length), Float.MIN_NORMAL);
    double worst = 0;
    for (int row = 0; row < expected.length; row += width) {
      double scale = Math.max(least, largest(expected, row, row + width));
      worst = Math.max(worst, apart(found, expected, row, row + width) / scale);
    }
    return worst;
  }

  /**
   * True if an element is not finite, though the original's own is. That the file that is proved
   * overflows there too proves nothing: any two models that overflow are alike.
   *
   * @param own the same value in a run of the original, without novices
   */
  static boolean isLost(Tensor value, Tensor own) {
    float[] found = value.toFloats();
    float[] before = own.toFloats();
    return IntStream.range(0, found.length)
        .anyMatch(i -> !Float.isFinite(found[i]) && Float.isFinite(before[i]));
  }

  /** True for numbers that are all finite, and for what is no number. */
  static boolean isFinite(Tensor value) {
    return !value.type().isFloating() || isAllFinite(value.toFloats());
  }

  private static boolean isAllFinite(float... values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  private static double relative(float[] a, float[] b) {
    double apart = apart(a, b, 0, a.length);
    return apart == 0 || Double.isInfinite(apart)
        ? apart
        : apart / Math.max(largest(b, 0, b.length), Float.MIN_NORMAL);
  }

  /** Elements that are the same are not apart, be they finite or not. */
  private static double apart(float[] a, float[] b, int from, int to) {
    double apart = 0;
    for (int i = from; i < to; i++) {
      if (Float.compare(a[i], b[i]) != 0) {
        double off = Math.abs((double) a[i] - b[i]);
        apart = Math.max(apart, Double.isNaN(off) ? Double.POSITIVE_INFINITY : off);
      }
    }
    return apart;
  }

  /** Of those that are finite: masks are full of minus infinity. */
  private static double largest(float[] values, int from, int to) {
    double largest = 0;
    for (int i = from; i < to; i++) {
      largest = Float.isFinite(values[i]) ? Math.max(largest, Math.abs(values[i])) : largest;
    }
    return largest;
  }

  /** {@code count} rows of a tensor {@code [batch, sequence, ...]}, counted over both axes. */
  static Tensor part(Tensor tensor, int from, int count) {
    long row = tensor.elements() / (tensor.dims().get(0) * tensor.dims().get(1));
    int bytes = Math.toIntExact(tensor.type().bytes(row));
    return new Tensor.Inline(
        tensor.type(),
        List.of((long) count, row),
        tensor.bytes().slice(from * bytes, count * bytes));
  }
}
