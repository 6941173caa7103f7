package io.moneonnx.verify;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Where the routed outputs of blocks are in a graph that was rewritten: there stands another value
 * where the original reads the block's own, in nodes that are otherwise as they were. Nothing that
 * the rewritten file says of itself is asked.
 *
 * @param original in its canonical spelling
 */
record RoutedOutputs(Graph original, Graph rewritten) {
  /**
   * The value that is the routed output now; empty if none of the nodes that read it is left, or if
   * they do not read the same value any more.
   *
   * @param output the routed output in the original
   */
  Optional<String> of(String output) {
    if (original.isOutput(output)) {
      return rewritten.producer(output).map(node -> output);
    }
    List<String> found =
        original.consumers(output).stream()
            .flatMap(reader -> read(reader, output))
            .distinct()
            .toList();
    return found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty();
  }

  /** What a node reads now at the places where it read {@code output}. */
  private Stream<String> read(Node reader, String output) {
    return now(reader).stream()
        .flatMap(
            now ->
                IntStream.range(0, reader.inputs().size())
                    .filter(place -> reader.input(place).equals(output))
                    .mapToObj(now::input));
  }

  /** The node that makes the same value, if it applies the same operator. */
  private Optional<Node> now(Node reader) {
    return rewritten
        .producer(reader.output())
        .filter(node -> node.opType().equals(reader.opType()))
        .filter(node -> node.domain().equals(reader.domain()))
        .filter(node -> node.inputs().size() == reader.inputs().size());
  }
}
