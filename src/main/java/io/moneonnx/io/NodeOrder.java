package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Checks that each node comes after what it reads, as ONNX wants; so there are no cycles either.
 */
final class NodeOrder {
  private NodeOrder() {}

  static void check(Path file, Graph graph) {
    check(file, graph, Set.of());
  }

  private static void check(Path file, Graph graph, Set<String> outer) {
    Set<String> known = new HashSet<>(outer);
    known.addAll(graph.initializers().keySet());
    graph.inputs().forEach(input -> known.add(input.name()));
    for (Node node : graph.nodes()) {
      for (String read : node.inputs()) {
        if (!read.isEmpty() && !known.contains(read)) {
          throw new BadInputException(
              "%s: node '%s' reads '%s', which nothing before it makes"
                  .formatted(file, node.label(), read));
        }
      }
      node.subgraphs().forEach(nested -> check(file, nested, known));
      known.addAll(node.outputs());
    }
    graph
        .outputs()
        .forEach(
            output -> {
              if (!known.contains(output.name())) {
                throw new BadInputException(
                    "%s: nothing makes the output '%s'".formatted(file, output.name()));
              }
            });
  }
}
