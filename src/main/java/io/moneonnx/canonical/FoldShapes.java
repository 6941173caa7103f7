package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Small integers that a graph computes from constants, such as shapes and indices, are constants.
 *
 * <pre>{@code
 * s = Unsqueeze (three, [0])      =>      <int64[1] s = {3}>
 * }</pre>
 */
final class FoldShapes implements Rule {
  private static final int MOST_ELEMENTS = 64;

  @Override
  public Set<String> operators() {
    return Set.of("Concat", "ConstantOfShape", "Reshape", "Shape", "Squeeze", "Unsqueeze");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return folded(node, context).map(folded -> Respelled.constant(node, folded));
  }

  private static Optional<Tensor> folded(Node node, RuleContext context) {
    if (node.is("Shape")) {
      return context
          .constant(node.input(0))
          .filter(tensor -> node.attributes().isEmpty())
          .map(
              tensor -> Tensor.vector(tensor.dims().stream().mapToLong(Long::longValue).toArray()));
    } else if (node.is("Concat")) {
      return joined(node, context);
    }
    return small(node.input(0), context)
        .flatMap(
            tensor ->
                switch (node.opType()) {
                  case "Reshape" ->
                      small(node.input(1), context).flatMap(s -> reshape(tensor, s.toLongs()));
                  case "Unsqueeze" ->
                      Optional.of(tensor)
                          .filter(t -> t.rank() == 0 && axes(node, context) == 1)
                          .map(t -> t.reshaped(List.of(1L)));
                  case "ConstantOfShape" -> filled(node, tensor.toLongs());
                  default ->
                      Optional.of(tensor)
                          .filter(t -> t.elements() == 1)
                          .filter(t -> node.input(1).isEmpty() || axes(node, context) == t.rank())
                          .map(t -> t.reshaped(List.of()));
                });
  }

  /** Vectors one behind the other. */
  private static Optional<Tensor> joined(Node concat, RuleContext context) {
    List<Tensor> parts =
        concat.inputs().stream()
            .flatMap(input -> small(input, context).stream())
            .filter(tensor -> tensor.rank() == 1)
            .toList();
    return parts.size() == concat.inputs().size()
        ? Optional.of(
            Tensor.vector(
                parts.stream().flatMapToLong(part -> LongStream.of(part.toLongs())).toArray()))
        : Optional.empty();
  }

  /** A vector of one number, of the integers that shapes are. */
  private static Optional<Tensor> filled(Node node, long[] shape) {
    return shape.length == 1 && shape[0] >= 0 && shape[0] <= MOST_ELEMENTS
        ? node.attribute("value")
            .filter(Attribute.OfTensor.class::isInstance)
            .flatMap(value -> ((Attribute.OfTensor) value).value().integers())
            .filter(value -> value.length == 1)
            .map(
                value ->
                    Tensor.vector(LongStream.generate(() -> value[0]).limit(shape[0]).toArray()))
        : Optional.empty();
  }

  /** How many axes a node names; 0 where they are not constant. */
  private static int axes(Node node, RuleContext context) {
    return context.integers(node.input(1)).map(axes -> axes.length).orElse(0);
  }

  private static Optional<Tensor> small(String value, RuleContext context) {
    return context
        .constant(value)
        .filter(tensor -> tensor.type() == ElementType.INT64)
        .filter(tensor -> tensor.elements() <= MOST_ELEMENTS);
  }

  private static Optional<Tensor> reshape(Tensor tensor, long[] dims) {
    List<Long> shape = new ArrayList<>();
    long known = 1;
    for (long dim : dims) {
      if (dim == 0) {
        return Optional.empty();
      }
      known *= dim > 0 ? dim : 1;
    }
    for (long dim : dims) {
      shape.add(dim > 0 ? dim : tensor.elements() / known);
    }
    return Tensor.elements(shape) == tensor.elements()
        ? Optional.of(tensor.reshaped(shape))
        : Optional.empty();
  }
}
