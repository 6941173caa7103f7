package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Routers in the bodies of other nodes: a decoder within {@code GreedySearch}, layers that both
 * branches of an {@code If} have. Blocks are found in the main graph only.
 */
final class NestedRouters {
  private NestedRouters() {}

  /** A refusal for each body that has routers; constants of the graph are constants in it. */
  static List<Refusal> of(Graph graph) {
    return graph.nodes().stream().flatMap(node -> of(graph, node)).toList();
  }

  private static Stream<Refusal> of(Graph graph, Node node) {
    return node.attributes().entrySet().stream()
        .flatMap(
            attribute ->
                attribute.getValue() instanceof Attribute.OfGraph body
                    ? of(node, attribute.getKey(), within(graph, body.value()))
                    : Stream.of());
  }

  private static Graph within(Graph graph, Graph body) {
    Map<String, Initializer> constants = new HashMap<>(graph.initializers());
    constants.keySet().removeAll(body.made());
    constants.putAll(body.initializers());
    return body.with(body.nodes(), constants);
  }

  private static Stream<Refusal> of(Node node, String name, Graph body) {
    RoutingFinder finder = new RoutingFinder(body);
    List<Routing> routings = finder.findAll().stream().filter(finder::looksRouted).toList();
    Optional<Refusal> own =
        routings.stream()
            .findFirst()
            .map(
                first ->
                    new Refusal(
                        node.label(),
                        ("its %s has %d routed blocks, the first by the router '%s'; expected routers"
                                + " in the main graph, not in a body of %s")
                            .formatted(name, routings.size(), first.router(), node.opType())));
    return Stream.concat(own.stream(), of(body).stream());
  }
}
