package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;

/** How far two tensors are apart. */
final class Difference {
  private Difference() {}

  /**
   * {@code max|a - b| / max|b|}; infinite where shapes differ, or where one is finite and the other
   * is not.
   */
  static double relative(Tensor a, Tensor b) {
    if (!a.dims().equals(b.dims())) {
      return Double.POSITIVE_INFINITY;
    }
    return relative(a.toFloats(), b.toFloats(), 0, Math.toIntExact(a.elements()));
  }

  /** The same over {@code length} elements from {@code from} on. */
  static double relative(float[] a, float[] b, int from, int length) {
    double apart = 0;
    double largest = 0;
    for (int i = from; i < from + length; i++) {
      if (Float.compare(a[i], b[i]) != 0) {
        double off = Math.abs((double) a[i] - b[i]);
        apart = Math.max(apart, Double.isNaN(off) ? Double.POSITIVE_INFINITY : off);
      }
      largest = Math.max(largest, Math.abs(b[i]));
    }
    return apart == 0 || Double.isInfinite(apart)
        ? apart
        : apart / Math.max(largest, Float.MIN_NORMAL);
  }
}
