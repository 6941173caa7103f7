package io.moneonnx.moe;

import io.moneonnx.graph.Graph;

/** Names what a router computes. */
final class RouterKind {
  private RouterKind() {}

  static String of(Graph graph, String indices) {
    return "unknown";
  }
}
