package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One row of a stacked constant, cut out by a node with a constant index.
 *
 * <pre>{@code
 * row = Gather (stack [experts, ...], 5)
 * row = Slice (stack [experts, ...], [5], [6], [0])
 * }</pre>
 *
 * @param stack the constant
 * @param dims shape of the row as it is cut out, with an axis of one or without
 */
public record RowCut(Node node, String stack, Tensor tensor, long row, List<Long> dims) {
  /** What {@code node} cuts out; empty if that is no single row of the leading axis. */
  public static Optional<RowCut> of(Graph graph, Node node) {
    if (!node.is("Gather") && !node.is("Slice")) {
      return Optional.empty();
    }
    Optional<Tensor> stacked = graph.constant(node.input(0)).filter(tensor -> tensor.rank() > 1);
    Optional<Tensor> index =
        graph.constant(node.input(1)).filter(tensor -> tensor.type() == ElementType.INT64);
    if (stacked.isEmpty() || index.filter(tensor -> tensor.elements() == 1).isEmpty()) {
      return Optional.empty();
    }
    long row = index.get().toLongs()[0];
    List<Long> dims = new ArrayList<>(stacked.get().dims());
    if (row < 0 || row >= dims.get(0)) {
      return Optional.empty();
    } else if (node.is("Gather") && node.intAttribute("axis", 0) == 0) {
      dims.remove(0);
      dims.addAll(0, index.get().dims());
    } else if (node.is("Slice") && isOneRow(graph, node, row)) {
      dims.set(0, 1L);
    } else {
      return Optional.empty();
    }
    return Optional.of(new RowCut(node, node.input(0), stacked.get(), row, List.copyOf(dims)));
  }

  private static boolean isOneRow(Graph graph, Node slice, long row) {
    return graph.isNumber(slice.input(2), row + 1)
        && (slice.input(3).isEmpty() || graph.isNumber(slice.input(3), 0))
        && (slice.input(4).isEmpty() || graph.isNumber(slice.input(4), 1));
  }
}
