package io.moneonnx.graph;

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

  /** {@code hint}, or something like it if that is taken. */
  String like(String hint) {
    String name = hint;
    while (!taken.add(name)) {
      name = hint + "_" + last.merge(hint, 1, Integer::sum);
    }
    return name;
  }
}
