package io.moneonnx.graph;

/** A named constant of a graph. */
public record Initializer(String name, Tensor tensor, UnknownFields rest) {
  public static Initializer of(String name, Tensor tensor) {
    return new Initializer(name, tensor, UnknownFields.NONE);
  }
}
