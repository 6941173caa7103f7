package io.moneonnx.graph;

import java.util.List;

/** The value of a node's attribute. */
public sealed interface Attribute {
  record OfInt(long value) implements Attribute {}

  record OfFloat(float value) implements Attribute {}

  record OfText(String value) implements Attribute {}

  record OfTensor(Tensor value) implements Attribute {}

  record OfGraph(Graph value) implements Attribute {}

  record OfInts(List<Long> values) implements Attribute {
    public OfInts {
      values = List.copyOf(values);
    }
  }

  record OfFloats(List<Float> values) implements Attribute {
    public OfFloats {
      values = List.copyOf(values);
    }
  }

  record OfTexts(List<String> values) implements Attribute {
    public OfTexts {
      values = List.copyOf(values);
    }
  }

  /** Inside a function: what a call gives for its attribute {@code outer}. */
  record Reference(String outer, UnknownFields wire) implements Attribute {}

  /** Anything else (types, sparse tensors of other nodes than constants), kept as it came. */
  record Opaque(UnknownFields wire) implements Attribute {}

  static Attribute of(long value) {
    return new OfInt(value);
  }

  static Attribute of(String value) {
    return new OfText(value);
  }

  static Attribute of(Tensor value) {
    return new OfTensor(value);
  }

  static Attribute ints(Long... values) {
    return new OfInts(List.of(values));
  }
}
