package io.moneonnx.graph;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Predicate;

/** Which values can be reached from which, along or against the dataflow. */
public final class Reach {
  private Reach() {}

  /** {@code from} and every value computed from it; the walk does not go past {@code border}. */
  public static Set<String> forward(
      Graph graph, Collection<String> from, Predicate<String> border) {
    Set<String> seen = new LinkedHashSet<>();
    Deque<String> pending = new ArrayDeque<>(from);
    while (!pending.isEmpty()) {
      String value = pending.pop();
      if (seen.add(value) && !border.test(value)) {
        graph
            .consumers(value)
            .forEach(
                node -> node.outputs().stream().filter(o -> !o.isEmpty()).forEach(pending::add));
      }
    }
    return seen;
  }

  /** {@code from} and every value it is computed from; the walk does not go past {@code border}. */
  public static Set<String> backward(
      Graph graph, Collection<String> from, Predicate<String> border) {
    Set<String> seen = new LinkedHashSet<>();
    Deque<String> pending = new ArrayDeque<>(from);
    while (!pending.isEmpty()) {
      String value = pending.pop();
      if (seen.add(value) && !border.test(value)) {
        graph.producer(value).ifPresent(node -> pending.addAll(node.reads()));
      }
    }
    return seen;
  }
}
