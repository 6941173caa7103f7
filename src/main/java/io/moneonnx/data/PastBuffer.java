package io.moneonnx.data;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.KeyValueBuffers;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A past {@code [batch, heads, length, headSize]} that a {@code GroupQueryAttention} takes: see
 * {@link KeyValueBuffers}. How long it is changes no result.
 *
 * @param length the least that the operator takes: its window, where it keeps no more than that
 * @param headSize empty where the graph does not show it
 */
record PastBuffer(long heads, long length, OptionalLong headSize) {
  /** The pasts among a graph's inputs that are such buffers, by name. */
  static Map<String, PastBuffer> findAll(Graph graph) {
    Map<String, PastBuffer> buffers = new LinkedHashMap<>();
    for (Value input : graph.feeds()) {
      KeyValueBuffers.taker(graph, input.name())
          .ifPresent(attention -> buffers.put(input.name(), of(graph, attention)));
    }
    return buffers;
  }

  private static PastBuffer of(Graph graph, Node attention) {
    boolean keepsWindowOnly = attention.intAttribute("sliding_window_cache", 0) == 1;
    long window = Math.max(0, attention.intAttribute("local_window_size", -1));
    return new PastBuffer(
        attention.intAttribute("kv_num_heads", 0),
        keepsWindowOnly ? window : 0,
        headSize(graph, attention));
  }

  /** Queries come alone, or packed with keys and values. */
  private static OptionalLong headSize(Graph graph, Node attention) {
    long queries = attention.intAttribute("num_heads", 0);
    boolean isPacked = attention.input(1).isEmpty();
    long heads = isPacked ? queries + 2 * attention.intAttribute("kv_num_heads", 0) : queries;
    OptionalLong width = Width.of(graph, attention.input(0));
    return width.isPresent() && heads > 0 && width.getAsLong() % heads == 0
        ? OptionalLong.of(width.getAsLong() / heads)
        : OptionalLong.empty();
  }
}
