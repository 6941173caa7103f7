package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import java.util.List;

/** How far two tensors are apart. */
public final class Difference {
  private Difference() {}

  /**
   * {@code max|a - b| / max|b|} of floating tensors; of any others 0 where they are equal. Infinite
   * where types or shapes differ, or where one element is finite and the other is not.
   */
  public static double relative(Tensor a, Tensor b) {
    if (a.type() != b.type() || !a.dims().equals(b.dims())) {
      return Double.POSITIVE_INFINITY;
    } else if (!a.type().isFloating()) {
      return a.bytes().equals(b.bytes()) ? 0 : Double.POSITIVE_INFINITY;
    }
    return relative(a.toFloats(), b.toFloats());
  }

  private static double relative(float[] a, float[] b) {
    double apart = 0;
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
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
