package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.Weight;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is computed from some rows on the way to one value.
 *
 * @param values those rows, that value, and all between
 */
record RowRegion(Graph graph, List<String> from, Set<String> values) {
  static RowRegion between(Graph graph, List<String> from, String to) {
    Set<String> before = Reach.backward(graph, List.of(to), from::contains);
    Set<String> behind = Reach.forward(graph, from, to::equals);
    behind.retainAll(before);
    return new RowRegion(graph, from, behind);
  }

  /** True where the value is not computed from the rows. */
  boolean isEmpty() {
    return values.isEmpty();
  }

  /** A computed value that is read beside those of the region. */
  Optional<String> foreign() {
    return nodes()
        .flatMap(node -> node.reads().stream())
        .filter(read -> !values.contains(read) && !isConstant(read))
        .findFirst();
  }

  /** A node that multiplies two computed matrices, as attention does and no feed-forward. */
  Optional<Node> product() {
    return nodes()
        .filter(node -> node.is("MatMul") || node.is("Gemm"))
        .filter(node -> !isConstant(node.input(0)) && !isConstant(node.input(1)))
        .findFirst();
  }

  private Stream<Node> nodes() {
    return values.stream()
        .filter(value -> !from.contains(value))
        .flatMap(value -> graph.producer(value).stream());
  }

  /** True for constants, and for what is made of nothing else. */
  private boolean isConstant(String value) {
    return Weight.behind(graph, value).isPresent()
        || Reach.backward(graph, List.of(value), v -> graph.constant(v).isPresent()).stream()
            .allMatch(v -> graph.constant(v).isPresent() || !reads(v).isEmpty());
  }

  private Set<String> reads(String value) {
    return graph.producer(value).map(Node::reads).orElse(Set.of());
  }
}
