package io.moneonnx.io;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.TopologicalOrder;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Puts the nodes of a graph in topological order, as ONNX wants them and as ONNX Runtime does on
 * loading: some converters leave them out of order.
 */
final class NodeOrder {
  private NodeOrder() {}

  /**
   * The model with the nodes of its graph, of all subgraphs and of its functions in topological
   * order, and otherwise in the order in which they are.
   *
   * @throws BadInputException if nodes read each other in a circle, or a value that nothing makes;
   *     the message names the node and the value
   */
  static Model sorted(Path file, Model model) {
    Model sorted =
        model
            .withGraph(sorted(file, model.graph()))
            .withFunctions(
                model.functions().stream()
                    .map(function -> function.withNodes(sorted(file, function.nodes())))
                    .toList());
    check(file, sorted.graph(), new HashSet<>());
    return sorted;
  }

  private static Graph sorted(Path file, Graph graph) {
    List<Node> nodes = sorted(file, graph.nodes());
    return nodes.equals(graph.nodes()) ? graph : graph.withNodes(nodes);
  }

  private static List<Node> sorted(Path file, List<Node> nodes) {
    List<Node> inside =
        nodes.stream().map(node -> node.withSubgraphs(graph -> sorted(file, graph))).toList();
    return TopologicalOrder.of(inside)
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: the graph has a cycle at node '%s'"
                        .formatted(file, TopologicalOrder.cycle(inside).label())));
  }

  /**
   * Checks what a graph reads.
   *
   * @param known the values that it may capture; as it was again when this returns
   */
  private static void check(Path file, Graph graph, Set<String> known) {
    Set<String> own = new HashSet<>(graph.initializers().keySet());
    graph.inputs().forEach(input -> own.add(input.name()));
    own.removeAll(known);
    known.addAll(own);
    for (Node node : graph.nodes()) {
      for (String read : node.inputs()) {
        if (!read.isEmpty() && !known.contains(read)) {
          throw new BadInputException(
              "%s: node '%s' uses '%s', which no node, input or initializer defines"
                  .formatted(file, node.label(), read));
        }
      }
      node.subgraphs().forEach(nested -> check(file, nested, known));
      node.outputs().stream().filter(known::add).forEach(own::add);
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
    known.removeAll(own);
  }
}
