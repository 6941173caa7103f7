package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.RowCut;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A constant weight and the initializer it comes from.
 *
 * @param initializer the name of the constant
 * @param dims shape of the value that is read, after what the graph does to the constant
 * @param row the row of the constant that is read, empty if all of it is
 */
public record Weight(String initializer, Tensor tensor, List<Long> dims, OptionalLong row) {
  /**
   * The weight behind {@code value}: a constant, possibly transposed, cast, dequantised or passed
   * on, or a row of one.
   */
  public static Optional<Weight> behind(Graph graph, String value) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      return Optional.of(
          new Weight(value, constant.get(), constant.get().dims(), OptionalLong.empty()));
    }
    return graph.producer(value).flatMap(node -> passedOn(graph, node));
  }

  private static Optional<Weight> passedOn(Graph graph, Node node) {
    if (node.is("Identity") || node.is("Cast") || node.is("DequantizeLinear")) {
      return behind(graph, node.input(0));
    }
    if (node.is("Transpose")) {
      return behind(graph, node.input(0)).map(weight -> weight.transposed(node));
    }
    if (node.is("Squeeze")) {
      return behind(graph, node.input(0)).flatMap(weight -> weight.squeezed(graph, node));
    }
    return rowOf(graph, node).or(() -> viewed(graph, node));
  }

  /** The first of the constants that a weight is made of, in the shape that is read. */
  private static Optional<Weight> viewed(Graph graph, Node node) {
    return WeightView.of(graph, node.output())
        .flatMap(
            view ->
                behind(graph, node.input(0))
                    .map(
                        first ->
                            new Weight(
                                first.initializer(), first.tensor(), view.dims(), first.row())));
  }

  private static Optional<Weight> rowOf(Graph graph, Node node) {
    return RowCut.of(graph, node)
        .map(cut -> new Weight(cut.stack(), cut.tensor(), cut.dims(), OptionalLong.of(cut.row())));
  }

  private Optional<Weight> squeezed(Graph graph, Node squeeze) {
    boolean leading = dims.size() > 1 && dims.get(0) == 1 && graph.isNumber(squeeze.input(1), 0);
    return leading
        ? Optional.of(new Weight(initializer, tensor, dims.subList(1, dims.size()), row))
        : Optional.empty();
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
        graph.producer(value).filter(node -> weight.isPresent() && rowOf(graph, node).isEmpty());
    return from.isEmpty() || graph.constant(value).isPresent()
        ? weight.stream()
        : parts(graph, from.get().input(0));
  }

  private Weight transposed(Node transpose) {
    List<Long> permuted = transpose.permutation(dims.size()).stream().map(dims::get).toList();
    return new Weight(initializer, tensor, permuted, row);
  }
}
