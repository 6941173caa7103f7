package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.RowCut;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;

/**
 * Rows of stacked constants that nothing reads any more after an edit, where each reader cuts out
 * one row.
 *
 * <pre>{@code
 * Gather (stack [experts, ...], 5)                  =>   Gather (kept [rows, ...], 2)
 * Slice (stack [experts, ...], [5], [6], [0])       =>   Slice (kept [rows, ...], [2], [3], [0])
 * }</pre>
 *
 * @param before the graph as it was before the edit
 * @param edited the graph as it is now, which holds all constants
 * @param written the nodes that are written
 * @param constant adds a constant, called like this, and returns its name
 */
record UnreadRows(
    Graph before,
    Graph edited,
    Collection<Node> written,
    BiFunction<String, Tensor, String> constant) {
  /** The readers of stacks that lose rows, and what is written in their place. */
  IdentityHashMap<Node, Node> dropped() {
    Map<String, List<RowCut>> cuts = new TreeMap<>();
    Map<String, Integer> reads = new HashMap<>();
    for (Node node : written) {
      node.reads().forEach(value -> reads.merge(value, 1, Integer::sum));
      RowCut.of(edited, node)
          .ifPresent(cut -> cuts.computeIfAbsent(cut.stack(), s -> new ArrayList<>()).add(cut));
    }
    IdentityHashMap<Node, Node> changed = new IdentityHashMap<>();
    cuts.forEach(
        (stack, readers) -> {
          SortedSet<Long> rows = rows(readers);
          if (reads.get(stack) == readers.size() && rows.size() < rowsBefore(stack)) {
            List<Long> left = List.copyOf(rows);
            Tensor tensor = readers.get(0).tensor();
            String kept =
                constant.apply(
                    stack + "/kept", tensor.rows(left.stream().map(Long::intValue).toList()));
            Indices indices = new Indices(kept);
            for (RowCut cut : readers) {
              changed.put(cut.node(), moved(cut, kept, left.indexOf(cut.row()), indices));
            }
          }
        });
    return changed;
  }

  private static SortedSet<Long> rows(List<RowCut> cuts) {
    SortedSet<Long> rows = new TreeSet<>();
    cuts.forEach(cut -> rows.add(cut.row()));
    return rows;
  }

  /** How many rows were read before, 0 if it was no stack then. */
  private int rowsBefore(String stack) {
    return rows(before.consumers(stack).stream()
            .map(node -> RowCut.of(before, node))
            .flatMap(Optional::stream)
            .toList())
        .size();
  }

  /**
   * Constants in the shape of others, {@code [rows, ...]}; what was made once is not made again.
   */
  private final class Indices {
    private final String hint;
    private final Map<List<Object>, String> made = new HashMap<>();

    Indices(String stack) {
      this.hint = stack + "/row";
    }

    String like(String other, long value) {
      List<Long> dims = edited.constant(other).orElseThrow().dims();
      return made.computeIfAbsent(
          List.of(dims, value), key -> constant.apply(hint, Tensor.of(dims, value)));
    }
  }

  private static Node moved(RowCut cut, String kept, long row, Indices indices) {
    Node node = cut.node();
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, kept);
    inputs.set(1, indices.like(node.input(1), row));
    if (node.is("Slice")) {
      inputs.set(2, indices.like(node.input(2), row + 1));
    }
    return node.withInputs(inputs);
  }
}
