package io.moneonnx.moe;

import io.moneonnx.graph.Elementwise;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.ValueRanks;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How many columns, along the last axis, are left of a router's where experts are chosen: a router
 * may score shared experts beside them, which are sliced off.
 */
final class ScoreColumns {
  private final Graph graph;
  private final ValueRanks ranks;

  ScoreColumns(Graph graph) {
    this.graph = graph;
    this.ranks = new ValueRanks(graph);
  }

  /**
   * Empty where sizes are computed, or an operator on the way is none that scores go through.
   *
   * @param width columns of the projection's output
   */
  OptionalInt of(String scores, Node projection, int width) {
    Map<String, Integer> columns = new HashMap<>();
    columns.put(projection.output(), width);
    for (Node node : graph.nodes()) {
      OptionalInt before =
          node.inputs().stream()
              .limit(Elementwise.is(node) ? Long.MAX_VALUE : 1)
              .filter(columns::containsKey)
              .mapToInt(columns::get)
              .max();
      if (node.domain().isEmpty() && before.isPresent()) {
        for (String output : node.outputs()) {
          left(node, output, before.getAsInt()).ifPresent(left -> columns.put(output, left));
        }
      }
    }
    return columns.containsKey(scores) ? OptionalInt.of(columns.get(scores)) : OptionalInt.empty();
  }

  private OptionalInt left(Node node, String output, int before) {
    return switch (node.opType()) {
      case "DequantizeLinear", "Flatten", "LogSoftmax", "QuantizeLinear", "Softmax" ->
          OptionalInt.of(before);
      case "Squeeze", "Unsqueeze" -> OptionalInt.of(before);
      case "Reshape" -> reshaped(node, before);
      case "Slice" -> isLast(node, 3) ? sliced(node, before) : OptionalInt.empty();
      case "Split" -> isLast(node) ? part(node, output) : OptionalInt.of(before);
      case "Gather" -> isLast(node) ? picked(node) : OptionalInt.empty();
      default -> Elementwise.is(node) ? OptionalInt.of(before) : OptionalInt.empty();
    };
  }

  private OptionalInt reshaped(Node node, int before) {
    Optional<long[]> shape = graph.integers(node.input(1));
    boolean isKept =
        shape.filter(sizes -> sizes.length > 1 && sizes[sizes.length - 1] == before).isPresent();
    return isKept ? OptionalInt.of(before) : OptionalInt.empty();
  }

  private OptionalInt sliced(Node node, int before) {
    boolean isUnit = node.input(4).isEmpty() || graph.isNumber(node.input(4), 1);
    OptionalInt from = bound(node.input(1), before);
    OptionalInt to = bound(node.input(2), before);
    return isUnit && from.isPresent() && to.isPresent()
        ? OptionalInt.of(to.getAsInt() - from.getAsInt())
        : OptionalInt.empty();
  }

  /** Counted from the front, within the axis. */
  private OptionalInt bound(String value, int size) {
    return graph
        .integers(value)
        .filter(one -> one.length == 1)
        .map(one -> Math.max(0, Math.min(size, one[0] < 0 ? one[0] + size : one[0])))
        .map(one -> OptionalInt.of(one.intValue()))
        .orElse(OptionalInt.empty());
  }

  private OptionalInt part(Node node, String output) {
    return graph
        .integers(node.input(1))
        .filter(sizes -> sizes.length == node.outputs().size())
        .map(sizes -> OptionalInt.of((int) sizes[node.outputs().indexOf(output)]))
        .orElse(OptionalInt.empty());
  }

  private OptionalInt picked(Node node) {
    return graph
        .integers(node.input(1))
        .map(columns -> OptionalInt.of(columns.length))
        .orElse(OptionalInt.empty());
  }

  private boolean isLast(Node node) {
    return isLast(node, node.intAttribute("axis", 0));
  }

  /** True where the only axis that this input names is the last. */
  private boolean isLast(Node node, int axes) {
    return graph
        .integers(node.input(axes))
        .filter(named -> named.length == 1 && isLast(node, named[0]))
        .isPresent();
  }

  private boolean isLast(Node node, long axis) {
    return axis == -1 || axis == ranks.of(node.input(0)).orElse(0) - 1;
  }
}
