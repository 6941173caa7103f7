package io.moneonnx.match;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The edges of a graph, for one who looks past certain operators, by their first input. */
record Edges(Graph graph, Set<String> through) {

  /** {@code value} and what it may stand for, nearest first. */
  List<String> upward(String value) {
    List<String> chain = new ArrayList<>(List.of(value));
    Optional<Node> node = passable(value);
    while (node.isPresent()) {
      chain.add(node.get().input(0));
      node = passable(node.get().input(0));
    }
    return chain;
  }

  /** The farthest value that {@code value} may stand for. */
  String source(String value) {
    List<String> chain = upward(value);
    return chain.get(chain.size() - 1);
  }

  /** The nodes that read {@code value} or what stands for it. */
  Stream<Node> readers(String value) {
    return graph.consumers(value).stream()
        .flatMap(
            node ->
                isPassable(node) && node.input(0).equals(value)
                    ? Stream.concat(Stream.of(node), readers(node.output()))
                    : Stream.of(node));
  }

  private Optional<Node> passable(String value) {
    return graph.producer(value).filter(this::isPassable);
  }

  private boolean isPassable(Node node) {
    return through.contains(Operators.qualifiedName(node));
  }
}
