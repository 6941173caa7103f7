package io.moneonnx.graph;

import java.util.List;
import java.util.Optional;

/**
 * Room for keys and values that {@code GroupQueryAttention} is given and gives back. The operator
 * reads and writes only what its mask counts; the rest is whatever was there.
 *
 * <pre>{@code
 * y, keys, values = com.microsoft.GroupQueryAttention (q, k, v, past_keys, past_values, ...)
 * }</pre>
 */
public final class KeyValueBuffers {
  private static final String ATTENTION = "GroupQueryAttention";
  private static final List<Integer> TAKEN = List.of(3, 4);
  private static final List<Integer> GIVEN = List.of(1, 2);

  private KeyValueBuffers() {}

  /** The operator that takes {@code value} as past keys or values, if one does. */
  public static Optional<Node> taker(Graph graph, String value) {
    return graph.consumers(value).stream()
        .filter(node -> node.opType().equals(ATTENTION))
        .filter(node -> TAKEN.stream().map(node::input).anyMatch(value::equals))
        .findFirst();
  }

  /** True for keys or values that the operator gives back. */
  public static boolean isGiven(Graph graph, String value) {
    return graph
        .producer(value)
        .filter(node -> node.opType().equals(ATTENTION))
        .filter(node -> GIVEN.contains(node.outputs().indexOf(value)))
        .isPresent();
  }
}
