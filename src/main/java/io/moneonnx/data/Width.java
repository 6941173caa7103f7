package io.moneonnx.data;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.Optional;
import java.util.OptionalLong;

/** How wide the last axis of a value is that a projection makes. */
final class Width {
  private Width() {}

  /** As the graph declares it, or else as the projection's weight has it. */
  static OptionalLong of(Graph graph, String value) {
    OptionalLong declared =
        Optional.ofNullable(graph.declared().get(value))
            .flatMap(Value::shape)
            .filter(shape -> !shape.isEmpty())
            .map(shape -> shape.get(shape.size() - 1))
            .filter(Dimension::isFixed)
            .map(last -> OptionalLong.of(last.size()))
            .orElse(OptionalLong.empty());
    return declared.isPresent()
        ? declared
        : graph.producer(value).map(node -> madeBy(graph, node)).orElse(OptionalLong.empty());
  }

  private static OptionalLong madeBy(Graph graph, Node node) {
    return switch (node.opType()) {
      case "MatMulNBits" -> OptionalLong.of(node.intAttribute("N", 0));
      case "MatMul" ->
          graph
              .constant(node.input(1))
              .map(Tensor::dims)
              .map(dims -> OptionalLong.of(dims.get(dims.size() - 1)))
              .orElse(OptionalLong.empty());
      case "Add", "Cast", "Identity" -> of(graph, node.input(0));
      default -> OptionalLong.empty();
    };
  }
}
