package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.passes.Router;

/**
 * Names what a router computes. Only people read it: an unknown router is rewritten all the same.
 */
final class RouterKind {
  private RouterKind() {}

  /** The name of the pattern whose choice {@code indices} are, or {@code unknown}. */
  static String of(Graph graph, String indices) {
    return Router.findAll(graph, "experts", indices).stream()
        .findFirst()
        .map(router -> router.getClass().getSimpleName())
        .orElse("unknown");
  }
}
