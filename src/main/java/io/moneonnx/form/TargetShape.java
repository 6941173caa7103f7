package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * A shape that an operator takes as an input: constant, or put together of constants and of sizes
 * that the graph computes.
 */
record TargetShape(List<Part> parts) {
  /** A value of the graph, with its elements where they are constant. */
  private record Part(String value, Optional<List<Long>> elements) {
    /** A part that is computed stands for one size. */
    int length() {
      return elements.map(List::size).orElse(1);
    }
  }

  TargetShape {
    parts = List.copyOf(parts);
  }

  /** The shape {@code value}; empty where it is neither constant nor a {@code Concat} of sizes. */
  static Optional<TargetShape> of(Graph graph, String value, int length) {
    Optional<Node> concat = graph.producer(value, "Concat");
    List<String> values = concat.map(Node::inputs).orElse(List.of(value));
    TargetShape shape = new TargetShape(values.stream().map(v -> part(graph, v)).toList());
    boolean isWhole = concat.isPresent() || shape.parts.get(0).elements().isPresent();
    return Optional.of(shape).filter(s -> isWhole && s.length() == length);
  }

  private static Part part(Graph graph, String value) {
    return new Part(
        value,
        graph
            .integers(value)
            .map(numbers -> IntStream.range(0, numbers.length).mapToObj(i -> numbers[i]).toList()));
  }

  int length() {
    return parts.stream().mapToInt(Part::length).sum();
  }

  /** The size of an axis, if it is constant. */
  OptionalLong size(int axis) {
    int from = 0;
    for (Part part : parts) {
      int at = axis - from;
      if (at >= 0 && at < part.length()) {
        return part.elements().map(e -> OptionalLong.of(e.get(at))).orElse(OptionalLong.empty());
      }
      from += part.length();
    }
    return OptionalLong.empty();
  }

  /** Whether this is the constant size of that axis. */
  boolean is(int axis, long size) {
    OptionalLong found = size(axis);
    return found.isPresent() && found.getAsLong() == size;
  }

  /** The shape with another size of an axis whose size is constant. */
  String with(Ops ops, int axis, long size) {
    List<String> values = new ArrayList<>();
    int from = 0;
    for (Part part : parts) {
      int at = axis - from;
      if (at >= 0 && at < part.length() && part.elements().isPresent()) {
        long[] changed = part.elements().get().stream().mapToLong(Long::longValue).toArray();
        changed[at] = size;
        values.add(ops.vector(changed));
      } else {
        values.add(part.value());
      }
      from += part.length();
    }
    return ops.concat(0, values);
  }
}
