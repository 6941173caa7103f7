package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;

/**
 * What a rule puts in place of one node. Every output of the node that is read must be made by one
 * of the nodes, be one of the constants, or be an alias.
 *
 * @param nodes in topological order
 * @param constants by name of the value that is this constant from now on
 * @param aliases for outputs of the node the values that everything reads in their place
 */
record Respelled(List<Node> nodes, Map<String, Tensor> constants, Map<String, String> aliases) {
  Respelled {
    nodes = List.copyOf(nodes);
    constants = Map.copyOf(constants);
    aliases = Map.copyOf(aliases);
  }

  /** The same, nodes without a name called like what they make. */
  Respelled named() {
    return new Respelled(
        nodes.stream()
            .map(node -> node.name().isEmpty() ? node.withName(node.output()) : node)
            .toList(),
        constants,
        aliases);
  }

  static Respelled as(Node... nodes) {
    return new Respelled(List.of(nodes), Map.of(), Map.of());
  }

  static Respelled as(List<Node> nodes) {
    return new Respelled(nodes, Map.of(), Map.of());
  }

  static Respelled constant(Node node, Tensor tensor) {
    return new Respelled(List.of(), Map.of(node.output(), tensor), Map.of());
  }

  static Respelled alias(Node node, String value) {
    return new Respelled(List.of(), Map.of(), Map.of(node.output(), value));
  }
}
