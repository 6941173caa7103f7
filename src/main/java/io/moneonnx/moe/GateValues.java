package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * The values that are computed from what a router scores, from sizes and from constants, and from
 * nothing else: everything that may be a routing weight, whatever way it is made.
 *
 * <p>Ids that are calculated with before they select anything are not understood: what is computed
 * from them is no routing weight.
 */
public final class GateValues {
  private final Graph graph;
  private final NeutralValues neutral;
  private final Set<String> gates = new HashSet<>();
  private final Set<String> ids = new HashSet<>();

  /**
   * The values behind one routing decision.
   *
   * @param neutral of the same graph
   */
  public GateValues(Graph graph, NeutralValues neutral, Routing routing) {
    this.graph = graph;
    this.neutral = neutral;
    gates.addAll(scored(routing));
    if (routing.choice() instanceof Choice.Indices indices) {
      ids.add(indices.value());
    }
    Deque<String> pending = new ArrayDeque<>(gates);
    while (!pending.isEmpty()) {
      graph.consumers(pending.pop()).forEach(node -> take(node, pending));
    }
  }

  /** What the router's projection makes. */
  private Set<String> scored(Routing routing) {
    Set<String> made = new HashSet<>();
    made.add(routing.choice().value());
    made.add(routing.choice().scores());
    Set<String> router = Reach.backward(graph, Set.copyOf(made), routing.input()::equals);
    router.stream()
        .flatMap(value -> graph.producer(value).stream())
        .filter(node -> reads(node, routing.router()))
        .forEach(node -> made.addAll(node.outputs()));
    return made;
  }

  private boolean reads(Node node, String initializer) {
    return node.inputs().stream()
        .flatMap(value -> Weight.behind(graph, value).stream())
        .anyMatch(weight -> weight.initializer().equals(initializer));
  }

  /** Takes what a node makes of gates, once all that it reads is known. */
  private void take(Node node, Deque<String> pending) {
    if (RouterOperators.contain(node)
        && !isCalculation(node)
        && node.reads().stream().allMatch(this::isKnown)) {
      passIds(node);
      node.outputs().stream().filter(gates::add).forEach(pending::add);
    }
  }

  private boolean isKnown(String value) {
    return gates.contains(value) || neutral.contains(value);
  }

  private boolean isCalculation(Node node) {
    return ChangedIds.isChanging(node) && node.reads().stream().anyMatch(ids::contains);
  }

  private void passIds(Node node) {
    if (ChangedIds.isPassing(node) && ids.contains(node.input(0))) {
      ids.addAll(node.outputs());
    }
  }

  public boolean contains(String value) {
    return gates.contains(value);
  }

  public boolean containsAny(Collection<String> values) {
    return values.stream().anyMatch(gates::contains);
  }

  /** True for the ids of the chosen experts, perhaps reshaped. */
  public boolean isIds(String value) {
    return ids.contains(value);
  }
}
