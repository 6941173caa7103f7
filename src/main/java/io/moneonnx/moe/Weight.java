package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Part;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A constant weight and the initializer it comes from.
 *
 * @param initializer the name of the constant
 * @param dims shape of the value that is read, after what the graph does to the constant
 * @param part what is read of the constant, empty if all of it is
 */
public record Weight(
    String initializer, Tensor tensor, List<Long> dims, Optional<Part.Range> part) {
  /**
   * The weight behind {@code value}: a constant, a part of one, or what is made of these by laying
   * them out otherwise, casting and dequantising; of several that are joined the first.
   */
  public static Optional<Weight> behind(Graph graph, String value) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      return Optional.of(
          new Weight(value, constant.get(), constant.get().dims(), Optional.empty()));
    }
    return graph.producer(value).flatMap(node -> passedOn(graph, node));
  }

  private static Optional<Weight> passedOn(Graph graph, Node node) {
    return partOf(graph, node)
        .or(
            () ->
                WeightView.of(graph, node.output())
                    .flatMap(
                        view ->
                            behind(graph, node.input(0)).map(first -> first.inShape(view.dims()))));
  }

  private static Optional<Weight> partOf(Graph graph, Node node) {
    return Part.of(graph, node)
        .map(
            part ->
                new Weight(
                    part.whole(),
                    graph.constant(part.whole()).orElseThrow(),
                    part.dims(),
                    Optional.of(part.range())));
  }

  private Weight inShape(List<Long> other) {
    return new Weight(initializer, tensor, other, part);
  }

  /** All constants that the weight behind {@code value} is made of, scales among them. */
  static Stream<Weight> parts(Graph graph, String value) {
    Optional<Node> several =
        graph
            .producer(value)
            .filter(node -> node.is("DequantizeLinear") || node.is("Concat"))
            .filter(node -> behind(graph, value).isPresent());
    if (several.isPresent()) {
      return several.get().inputs().stream().flatMap(input -> parts(graph, input));
    }
    Optional<Weight> weight = behind(graph, value);
    Optional<Node> from =
        graph.producer(value).filter(node -> weight.isPresent() && partOf(graph, node).isEmpty());
    return from.isEmpty() || graph.constant(value).isPresent()
        ? weight.stream()
        : parts(graph, from.get().input(0));
  }
}
