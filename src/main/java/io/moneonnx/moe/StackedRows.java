package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Cuts stacked weights down to the rows that kept experts read, where experts are regions of their
 * own.
 *
 * <pre>{@code
 * Gather (bank [experts, ...], 5)            =>   Gather (kept [rows, ...], 2)
 * Slice (bank [experts, ...], [5], [6])      =>   Slice (kept [rows, ...], [2], [3])
 * }</pre>
 */
public final class StackedRows {
  private StackedRows() {}

  /**
   * Lets the nodes that cut rows for these experts read them from what is left. A bank of which a
   * row is cut in a body that stays is left whole.
   *
   * @param regions for each kept expert the values it computes
   */
  public static void keep(Ops ops, Graph graph, List<? extends Collection<String>> regions) {
    Map<String, SortedMap<Long, Set<Node>>> readers = new TreeMap<>();
    regions.stream()
        .flatMap(Collection::stream)
        .flatMap(value -> graph.producer(value).stream())
        .flatMap(node -> node.reads().stream())
        .flatMap(value -> cuts(graph, value))
        .forEach(
            cut -> {
              Weight weight = Weight.rowOf(graph, cut).orElseThrow();
              readers
                  .computeIfAbsent(weight.initializer(), bank -> new TreeMap<>())
                  .computeIfAbsent(weight.row().getAsLong(), row -> new LinkedHashSet<>())
                  .add(cut);
            });
    readers.values().removeIf(rows -> !isInReach(ops.edit().graph(), rows));
    readers.forEach((bank, rows) -> keep(ops, graph, bank, rows));
  }

  private static boolean isInReach(Graph original, Map<Long, Set<Node>> readers) {
    return readers.values().stream()
        .flatMap(Set::stream)
        .allMatch(cut -> original.producer(cut.output()).isPresent());
  }

  /** The nodes that cut rows out of constants for the weight {@code value}, scales among them. */
  private static Stream<Node> cuts(Graph graph, String value) {
    Optional<Node> node =
        graph.producer(value).filter(made -> Weight.behind(graph, value).isPresent());
    return node.filter(made -> Weight.rowOf(graph, made).isPresent()).isPresent()
        ? node.stream()
        : node.stream().flatMap(made -> made.reads().stream()).flatMap(read -> cuts(graph, read));
  }

  private static void keep(Ops ops, Graph graph, String bank, SortedMap<Long, Set<Node>> readers) {
    List<Integer> rows = readers.keySet().stream().map(Long::intValue).toList();
    String kept = ops.constant("kept", graph.constant(bank).orElseThrow().rows(rows));
    for (int rank = 0; rank < rows.size(); rank++) {
      for (Node node : readers.get(rows.get(rank).longValue())) {
        ops.edit().setInput(node, 0, kept);
        ops.edit().setInput(node, 1, index(ops, graph, node.input(1), rank));
        if (node.is("Slice")) {
          ops.edit().setInput(node, 2, index(ops, graph, node.input(2), rank + 1));
        }
      }
    }
  }

  /** A constant in the shape of another. */
  private static String index(Ops ops, Graph graph, String like, long value) {
    Tensor tensor = graph.constant(like).orElseThrow();
    return tensor.rank() == 1
        ? ops.vector(value)
        : ops.constant("index", Tensor.of(tensor.dims(), value));
  }
}
