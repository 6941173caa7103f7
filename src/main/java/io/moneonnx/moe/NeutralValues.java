package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.HashSet;
import java.util.Set;

/**
 * The values that are computed from sizes of activations and from constants, and from nothing else:
 * the same whatever a router scores. They are looked for at the first question.
 */
public final class NeutralValues {
  private final Graph graph;
  private final Set<String> values = new HashSet<>();
  private boolean isComplete;

  public NeutralValues(Graph graph) {
    this.graph = graph;
  }

  private void take(Node node) {
    if (RouterOperators.isSize(node)
        || (RouterOperators.contain(node) && node.reads().stream().allMatch(this::isIn))) {
      values.addAll(node.outputs());
    }
  }

  /** True for constants too. */
  boolean contains(String value) {
    if (!isComplete) {
      isComplete = true;
      graph.nodes().forEach(this::take);
    }
    return isIn(value);
  }

  private boolean isIn(String value) {
    return values.contains(value) || graph.constant(value).isPresent();
  }
}
