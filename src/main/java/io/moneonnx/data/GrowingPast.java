package io.moneonnx.data;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Value;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What becomes of an input that holds keys or values of earlier tokens, however it is called: the
 * graph puts those of its own tokens behind and gives both back.
 *
 * <pre>{@code
 * present = Concat (past [batch, heads, length, headSize], new)
 * }</pre>
 *
 * @param present the output
 * @param axis of the length
 */
record GrowingPast(String present, int axis) {
  /** By name of input. */
  static Map<String, GrowingPast> findAll(Graph graph) {
    Map<String, GrowingPast> growing = new LinkedHashMap<>();
    for (Value input : graph.feeds()) {
      graph.consumers(input.name()).stream()
          .flatMap(reader -> of(graph, input, reader).stream())
          .findFirst()
          .ifPresent(past -> growing.put(input.name(), past));
    }
    return growing;
  }

  private static Optional<GrowingPast> of(Graph graph, Value input, Node reader) {
    int rank = input.shape().map(shape -> shape.size()).orElse(0);
    boolean grows =
        reader.is("Concat")
            && rank > 2
            && reader.inputs().size() == 2
            && reader.input(0).equals(input.name())
            && graph.isOutput(reader.output());
    int axis = (int) reader.intAttribute("axis", 0);
    return grows
        ? Optional.of(new GrowingPast(reader.output(), axis < 0 ? axis + rank : axis))
            .filter(past -> past.axis() > 0)
        : Optional.empty();
  }
}
