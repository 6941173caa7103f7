package io.moneonnx.graph;

import java.util.List;
import java.util.Optional;

/**
 * What a graph declares of a value: an input, an output or an intermediate. Type and shape are
 * empty where the file leaves them out or the value is no dense tensor.
 */
public record Value(
    String name, Optional<ElementType> type, Optional<List<Dimension>> shape, UnknownFields rest) {
  public Value {
    shape = shape.map(List::copyOf);
  }

  public static Value of(String name, ElementType type, Dimension... shape) {
    return new Value(name, Optional.of(type), Optional.of(List.of(shape)), UnknownFields.NONE);
  }

  /** A value of which nothing is declared but its name. */
  public static Value undeclared(String name) {
    return new Value(name, Optional.empty(), Optional.empty(), UnknownFields.NONE);
  }

  /** A value of known type and unknown rank. */
  public static Value untyped(String name, ElementType type) {
    return new Value(name, Optional.of(type), Optional.empty(), UnknownFields.NONE);
  }
}
