package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what changes the chosen ids before experts are looked up by them: no form takes ids that
 * were clamped, shifted or mapped, since they may not be the ids that the router chose.
 */
final class ChangedIds {
  private static final Set<String> CHANGING =
      Set.of("Add", "BitwiseAnd", "Clip", "Div", "Max", "Min", "Mod", "Mul", "Neg", "Sub", "Where");
  private static final Set<String> PASSING =
      Set.of(
          "Cast", "Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  private ChangedIds() {}

  /** The first node that makes other ids of the routing's, if there is one. */
  static Optional<Node> of(Graph graph, Routing routing) {
    Deque<String> pending = new ArrayDeque<>();
    Set<String> seen = new HashSet<>();
    if (routing.choice() instanceof Choice.Indices indices) {
      pending.add(indices.value());
    }
    while (!pending.isEmpty()) {
      String value = pending.poll();
      for (Node node : graph.consumers(value)) {
        if (node.domain().isEmpty() && CHANGING.contains(node.opType())) {
          return Optional.of(node);
        } else if (node.domain().isEmpty()
            && PASSING.contains(node.opType())
            && node.input(0).equals(value)
            && seen.add(node.output())) {
          pending.add(node.output());
        }
      }
    }
    return Optional.empty();
  }
}
