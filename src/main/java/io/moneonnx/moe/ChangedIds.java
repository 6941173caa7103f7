package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Finds what changes the chosen ids before experts are looked up by them: ids that were clamped,
 * shifted or mapped may not be the ids that the router chose.
 */
public final class ChangedIds {
  private static final Set<String> CHANGING =
      Set.of("Add", "BitwiseAnd", "Clip", "Div", "Max", "Min", "Mod", "Mul", "Neg", "Sub", "Where");
  private static final Set<String> PASSING =
      Set.of(
          "Cast", "Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  private ChangedIds() {}

  /** True for operators that make other numbers of ids. */
  static boolean isChanging(Node node) {
    return node.domain().isEmpty() && CHANGING.contains(node.opType());
  }

  /** True for operators that put out the ids they are given first. */
  static boolean isPassing(Node node) {
    return node.domain().isEmpty() && PASSING.contains(node.opType());
  }

  /** What a refusal may add: the first node that makes other ids of the routing's, or nothing. */
  public static String note(Graph graph, Routing routing) {
    return of(graph, routing)
        .map(node -> ": the ids are changed by %s '%s'".formatted(node.opType(), node.label()))
        .orElse("");
  }

  private static Optional<Node> of(Graph graph, Routing routing) {
    return routing.choice() instanceof Choice.Indices indices
        ? of(graph, indices.value(), ChangedIds::isChanging)
        : Optional.empty();
  }

  /** The first node that reads these numbers, perhaps reshaped, and changes them so. */
  public static Optional<Node> of(Graph graph, String numbers, Predicate<Node> isChanging) {
    Deque<String> pending = new ArrayDeque<>(List.of(numbers));
    Set<String> seen = new HashSet<>();
    while (!pending.isEmpty()) {
      String value = pending.poll();
      for (Node node : graph.consumers(value)) {
        if (isChanging.test(node)) {
          return Optional.of(node);
        } else if (isPassing(node) && node.input(0).equals(value) && seen.add(node.output())) {
          pending.add(node.output());
        }
      }
    }
    return Optional.empty();
  }
}
