package io.moneonnx.match;

import io.moneonnx.graph.Tensor;

/** A captured constant. Constants of one graph are the same when their values are. */
public record Constant(String value, Tensor tensor) {
  /** The elements of a constant of an integer type, in order; none of any other. */
  public long[] integers() {
    return tensor.integers().orElse(new long[0]);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Constant constant && constant.value.equals(value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  @Override
  public String toString() {
    return value + " " + tensor.type().text() + tensor.dims();
  }
}
