package io.moneonnx.verify;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.Optional;

/**
 * Where the routed outputs of blocks are in a graph that was rewritten: there stands another value
 * where the original reads the block's own, in a node that is otherwise as it was. Nothing that the
 * rewritten file says of itself is asked.
 *
 * @param original made flat
 */
public record RoutedOutputs(Graph original, Graph rewritten) {
  /**
   * The value that is the routed output now; empty if no node of before reads it.
   *
   * @param output the routed output in the original
   */
  public Optional<String> of(String output) {
    if (original.isOutput(output)) {
      return rewritten.producer(output).map(node -> output);
    }
    return original.consumers(output).stream()
        .filter(reader -> reader.inputs().contains(output))
        .flatMap(
            reader -> now(reader).map(now -> now.input(reader.inputs().indexOf(output))).stream())
        .findFirst();
  }

  private Optional<Node> now(Node reader) {
    return rewritten
        .producer(reader.output())
        .filter(node -> node.opType().equals(reader.opType()))
        .filter(node -> node.domain().equals(reader.domain()))
        .filter(node -> node.inputs().size() == reader.inputs().size());
  }
}
