package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

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
   * Lets the nodes that cut rows for these experts read them from what is left.
   *
   * @param regions for each kept expert the values it computes, those of its weights included
   */
  public static void keep(Ops ops, Graph graph, List<? extends Collection<String>> regions) {
    Map<String, SortedMap<Long, List<Node>>> readers = new TreeMap<>();
    for (Collection<String> region : regions) {
      for (String value : region) {
        Optional<Node> node = graph.producer(value);
        node.flatMap(cut -> Weight.rowOf(graph, cut))
            .ifPresent(
                weight ->
                    readers
                        .computeIfAbsent(weight.initializer(), bank -> new TreeMap<>())
                        .computeIfAbsent(weight.row().getAsLong(), row -> new ArrayList<>())
                        .add(node.orElseThrow()));
      }
    }
    readers.forEach((bank, rows) -> keep(ops, graph, bank, rows));
  }

  private static void keep(Ops ops, Graph graph, String bank, SortedMap<Long, List<Node>> readers) {
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
