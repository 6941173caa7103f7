package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Names that are not taken yet, each given once. */
final class FreshNames {
  private final Set<String> taken;
  private final Map<String, Integer> last = new HashMap<>();

  FreshNames(Collection<String> taken) {
    this.taken = new HashSet<>(taken);
  }

  /** Names that nothing in a graph has, neither values nor nodes. */
  static FreshNames in(Graph graph) {
    Set<String> taken = graph.names();
    graph.nodes().forEach(node -> taken.add(node.name()));
    return new FreshNames(taken);
  }

  /** Takes names that must not be given: those of values that are spelled otherwise by now. */
  void take(Collection<String> names) {
    taken.addAll(names);
  }

  /** {@code hint}, or something like it if that is taken. */
  String like(String hint) {
    String name = hint;
    while (!taken.add(name)) {
      name = hint + "_" + last.merge(hint, 1, Integer::sum);
    }
    return name;
  }
}
