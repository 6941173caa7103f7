package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One node that was brought to another spelling.
 *
 * @param before as it was
 * @param after what stands in its place, some of which later steps may have replaced in turn; empty
 *     where its outputs became constants or aliases
 * @param root where in the original graph the node stands that it came from
 * @param rounds where it is a loop that was unrolled
 */
record Step(Node before, List<Node> after, int root, Optional<Rounds> rounds) {
  Step {
    after = List.copyOf(after);
  }

  /**
   * The rounds of an unrolled loop.
   *
   * @param states the carried value after each round
   */
  record Rounds(RowLoop loop, List<String> states) {
    /** The carried value before a round. */
    String before(int round) {
      return round == 0 ? loop.node().input(2) : states.get(round - 1);
    }
  }

  /** The values that only what stands in its place makes. */
  Set<String> inner() {
    Set<String> made = new HashSet<>();
    after.forEach(node -> made.addAll(node.outputs()));
    made.removeAll(before.outputs());
    made.remove("");
    return made;
  }
}
