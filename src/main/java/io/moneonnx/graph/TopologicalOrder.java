package io.moneonnx.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Nodes in an order in which each comes after those whose values it reads. */
public final class TopologicalOrder {
  private TopologicalOrder() {}

  /**
   * The nodes in topological order, and otherwise in the order given: nodes that stand in
   * topological order already are left as they are.
   *
   * @param nodes of which no two make the same value
   * @return empty if some of them read each other in a circle
   */
  public static Optional<List<Node>> of(List<Node> nodes) {
    return Optional.of(new Walk(producers(nodes), nodes.size()))
        .filter(walk -> nodes.stream().allMatch(walk::visit))
        .map(walk -> walk.ordered);
  }

  /** One of some nodes that need themselves: call it where there is no order. */
  public static Node cycle(List<Node> nodes) {
    Map<String, Node> producers = producers(nodes);
    Set<Node> seen = new HashSet<>();
    Walk walk = new Walk(producers, nodes.size());
    Node node = nodes.stream().filter(root -> !walk.visit(root)).findFirst().orElseThrow();
    while (seen.add(node)) {
      List<Node> missing = walk.missing(node);
      node = missing.get(missing.size() - 1); // the one that the walk was in the middle of
    }
    return node;
  }

  private static Map<String, Node> producers(List<Node> nodes) {
    Map<String, Node> producers = new HashMap<>(2 * nodes.size());
    for (Node node : nodes) {
      node.outputs().forEach(output -> producers.put(output, node));
    }
    producers.remove("");
    return producers;
  }

  private static final class Walk {
    private final Map<String, Node> producers;
    private final List<Node> ordered;
    private final Set<String> done = new HashSet<>();
    private final Set<String> open = new HashSet<>();

    Walk(Map<String, Node> producers, int size) {
      this.producers = producers;
      this.ordered = new ArrayList<>(size);
    }

    /** Adds a node after all that it needs; false if it needs itself. */
    boolean visit(Node root) {
      if (!done.contains(root.output()) && missing(root).isEmpty()) {
        done.add(root.output());
        ordered.add(root);
        return true;
      }
      Deque<Node> pending = new ArrayDeque<>(List.of(root));
      while (!pending.isEmpty()) {
        Node node = pending.peek();
        if (done.contains(node.output())) {
          pending.pop();
          continue;
        }
        List<Node> missing = missing(node);
        if (missing.isEmpty()) {
          done.add(node.output());
          ordered.add(node);
          pending.pop();
        } else if (open.add(node.output())) {
          missing.forEach(pending::push);
        } else {
          return false;
        }
      }
      return true;
    }

    private List<Node> missing(Node node) {
      List<Node> missing = new ArrayList<>();
      for (String value : node.reads()) {
        Node producer = producers.get(value);
        if (producer != null && !done.contains(producer.output())) {
          missing.add(producer);
        }
      }
      return missing;
    }
  }
}
