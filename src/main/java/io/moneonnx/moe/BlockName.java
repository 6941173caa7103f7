package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What people call a block: the path that the exporter gave its router, without the router itself
 * ({@code model.layers.3.mlp.gate.weight} makes {@code model.layers.3.mlp}). A hint for messages
 * and files; nothing is decided by it.
 */
final class BlockName {
  private BlockName() {}

  static String of(Graph graph, Routing routing) {
    Stream<String> names =
        Stream.concat(
            Stream.of(routing.router()),
            graph.consumers(routing.router()).stream()
                .flatMap(node -> Stream.of(node.name(), node.output())));
    return names
        .filter(name -> !name.startsWith("onnx::"))
        .map(name -> Arrays.stream(name.split("[./]")).filter(part -> !part.isEmpty()).toList())
        .filter(path -> path.size() >= 3)
        .map(path -> String.join(".", withoutRouter(path)))
        .findFirst()
        .orElse(routing.choice().value());
  }

  private static List<String> withoutRouter(List<String> path) {
    return path.subList(0, path.size() - 2);
  }
}
