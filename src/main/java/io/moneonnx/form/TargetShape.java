package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A shape that an operator takes as an input: constant, or put together of constants and of sizes
 * that the graph computes.
 */
record TargetShape(List<Part> parts) {
  /** A value of the graph that gives the sizes of some axes, with these where constant. */
  private record Part(String value, int length, Optional<List<Long>> elements) {}

  TargetShape {
    parts = List.copyOf(parts);
  }

  /**
   * The shape {@code value} of {@code length} axes; empty where it is neither constant nor put
   * together so that it is known which part gives which axes.
   */
  static Optional<TargetShape> of(Graph graph, String value, int length) {
    List<String> values = graph.producer(value, "Concat").map(Node::inputs).orElse(List.of(value));
    int constant =
        values.stream().flatMap(v -> graph.integers(v).stream()).mapToInt(v -> v.length).sum();
    int computed = (int) values.stream().filter(v -> graph.integers(v).isEmpty()).count();
    boolean isKnown = length - constant == computed || computed == 1;
    return isKnown && computed < values.size()
        ? Optional.of(
            new TargetShape(
                values.stream()
                    .map(v -> part(graph, v, computed == 1 ? length - constant : 1))
                    .toList()))
        : Optional.empty();
  }

  /** The same shape, of which an edit may have made the constant {@code value}. */
  TargetShape now(Ops ops, String value) {
    return ops.edit()
        .constant(value)
        .flatMap(Tensor::integers)
        .map(sizes -> new TargetShape(List.of(part(value, sizes))))
        .orElse(this);
  }

  private static Part part(String value, long... sizes) {
    return new Part(value, sizes.length, Optional.of(Arrays.stream(sizes).boxed().toList()));
  }

  private static Part part(Graph graph, String value, int computed) {
    return graph
        .integers(value)
        .map(sizes -> part(value, sizes))
        .orElse(new Part(value, computed, Optional.empty()));
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
