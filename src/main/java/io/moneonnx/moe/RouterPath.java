package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueRanks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The one way from a router's projection to the scores that experts are chosen by, on which the
 * experts stay the last axis and, but for a softmax, each column is computed from itself alone, if
 * not overwritten where its group of experts is not chosen.
 *
 * @param nodes from the projection on; they begin later where something is not understood
 * @param groups the groups of experts that are chosen on the way
 */
record RouterPath(Graph graph, Routing routing, List<Node> nodes, Optional<ExpertGroups> groups) {
  private static final Set<String> UNARY =
      Set.of(
          "Abs",
          "Cast",
          "Clip",
          "Exp",
          "Identity",
          "Log",
          "Neg",
          "Sigmoid",
          "Softplus",
          "Sqrt",
          "Tanh");

  private static final Set<String> BINARY = Set.of("Add", "Div", "Max", "Min", "Mul", "Pow", "Sub");

  private static final Set<String> CHOOSING = Set.of("ArgMax", "ReduceMax", "TopK");

  RouterPath {
    nodes = List.copyOf(nodes);
  }

  /** Walks up from the scores that experts are chosen by. */
  static RouterPath of(Graph graph, Routing routing) {
    List<Node> nodes = new ArrayList<>();
    RouterPath walk = new RouterPath(graph, routing, nodes, Optional.empty());
    Optional<Node> made = graph.producer(routing.choice().scores());
    while (made.isPresent()) {
      Node node = made.get();
      boolean isProjection = walk.isProjection(node);
      Optional<String> from = isProjection ? Optional.of("") : walk.passedOn(node);
      if (from.isEmpty() && walk.groups().isEmpty()) {
        walk = walk.with(ExpertGroups.of(graph, node.output(), routing.experts()));
        from = walk.groups().map(ExpertGroups::scores);
      }
      if (from.isEmpty()) {
        break;
      }
      nodes.add(node);
      made = isProjection ? Optional.empty() : graph.producer(from.get());
    }
    Collections.reverse(nodes);
    return new RouterPath(graph, routing, nodes, walk.groups());
  }

  private RouterPath with(Optional<ExpertGroups> chosen) {
    return new RouterPath(graph, routing, nodes, chosen);
  }

  /** The matrix product with the router's weight. */
  Node projection() {
    return nodes.get(0);
  }

  /** The values on the way, from the projection's output to the scores. */
  List<String> values() {
    return nodes.stream().map(Node::output).toList();
  }

  /** Why the way is not understood; empty if it is. */
  Optional<String> objection() {
    if (!nodes.isEmpty() && isProjection(projection())) {
      return Optional.empty();
    }
    String begin = nodes.isEmpty() ? routing.choice().scores() : projection().output();
    String from = nodes.isEmpty() ? begin : above(projection()).orElse(begin);
    Set<String> before = Reach.backward(graph, List.of(from), routing.input()::equals);
    Optional<Node> earlier =
        before.stream()
            .flatMap(value -> graph.producer(value).stream())
            .filter(node -> CHOOSING.contains(node.opType()))
            .findFirst();
    return Optional.of(
        earlier
            .map(
                node ->
                    "the router '%s' chooses groups of experts first (%s '%s')"
                        .formatted(routing.router(), node.opType(), node.label()))
            .orElseGet(() -> unknown(from)));
  }

  private String unknown(String value) {
    String maker =
        graph
            .producer(value)
            .map(node -> "%s '%s'".formatted(node.opType(), node.label()))
            .orElse("nowhere");
    return "the scores of the router '%s' come from %s; expected what keeps its experts apart"
        .formatted(routing.router(), maker);
  }

  private boolean isProjection(Node node) {
    boolean multiplies =
        node.is("MatMul") || node.is("Gemm") || node.opType().equals("MatMulNBits");
    return multiplies
        && Weight.behind(graph, node.input(1))
            .filter(weight -> weight.initializer().equals(routing.router()))
            .isPresent();
  }

  private Optional<String> above(Node node) {
    return groups
        .filter(chosen -> chosen.limited().equals(node.output()))
        .map(ExpertGroups::scores)
        .or(() -> passedOn(node));
  }

  /** The input from which a node passes the experts' columns on, if it keeps them apart. */
  private Optional<String> passedOn(Node node) {
    if (!node.domain().isEmpty()) {
      return Optional.empty();
    } else if (BINARY.contains(node.opType()) && node.inputs().size() == 2) {
      boolean first = isConstant(node.input(0));
      return Optional.of(node.input(first ? 1 : 0))
          .filter(value -> isConstant(node.input(first ? 0 : 1)));
    }
    return Optional.of(node.input(0))
        .filter(value -> UNARY.contains(node.opType()) || isLastAxisKept(node));
  }

  private boolean isConstant(String value) {
    return Weight.behind(graph, value).isPresent();
  }

  private boolean isLastAxisKept(Node node) {
    return switch (node.opType()) {
      case "Softmax" -> isLast(node, node.intAttribute("axis", -1));
      case "Flatten" -> isLast(node, node.intAttribute("axis", 1));
      case "Squeeze", "Unsqueeze" -> graph.isNumber(node.input(1), 0);
      case "Reshape" ->
          new ValueRanks(graph).of(node.output()).orElse(0) > 1
              && lastSize(node.input(1))
                  .filter(size -> size == -1 || size == routing.experts())
                  .isPresent();
      default -> false;
    };
  }

  private boolean isLast(Node node, long axis) {
    return axis == -1 || axis == new ValueRanks(graph).of(node.input(0)).orElse(0) - 1;
  }

  private Optional<Long> lastSize(String shape) {
    Optional<long[]> sizes = graph.integers(shape).filter(known -> known.length > 0);
    return sizes.isPresent()
        ? Optional.of(sizes.get()[sizes.get().length - 1])
        : graph
            .producer(shape, "Concat")
            .flatMap(concat -> lastSize(concat.input(concat.inputs().size() - 1)));
  }
}
