package io.moneonnx.data;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.OptionalLong;
import java.util.Set;

/** Finds how many token ids a graph knows: the rows of the table that it looks them up in. */
final class Vocabulary {
  /** Operators that hand token ids on as they are. */
  private static final Set<String> PASS_ON =
      Set.of("Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze");

  private final Graph graph;

  private Vocabulary(Graph graph) {
    this.graph = graph;
  }

  /** Rows of the first constant table that is indexed by {@code ids} along its leading axis. */
  static OptionalLong of(Graph graph, String ids) {
    return new Vocabulary(graph).rowsIndexedBy(ids);
  }

  private OptionalLong rowsIndexedBy(String ids) {
    for (Node node : graph.consumers(ids)) {
      OptionalLong rows = OptionalLong.empty();
      if (isLookup(node, ids)) {
        rows = rows(node.input(0));
      } else if (passesOn(node, ids)) {
        rows = rowsIndexedBy(node.output());
      }
      if (rows.isPresent()) {
        return rows;
      }
    }
    return OptionalLong.empty();
  }

  private static boolean isLookup(Node node, String ids) {
    boolean plain = node.is("Gather") && node.intAttribute("axis", 0) == 0;
    boolean quantized =
        node.opType().equals("GatherBlockQuantized") && node.intAttribute("gather_axis", 0) == 0;
    return (plain || quantized) && node.input(1).equals(ids);
  }

  private OptionalLong rows(String table) {
    return graph
        .constant(table)
        .map(Tensor::dims)
        .filter(dims -> !dims.isEmpty())
        .map(dims -> OptionalLong.of(dims.get(0)))
        .orElseGet(() -> rowsBehind(table));
  }

  private OptionalLong rowsBehind(String table) {
    return graph
        .producer(table)
        .filter(node -> node.is("Cast") || node.is("Identity") || node.is("DequantizeLinear"))
        .map(node -> rows(node.input(0)))
        .orElse(OptionalLong.empty());
  }

  private static boolean passesOn(Node node, String value) {
    return node.domain().isEmpty()
        && PASS_ON.contains(node.opType())
        && node.input(0).equals(value);
  }
}
