package io.moneonnx.canonical;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
    return Set.of("Reshape", "Squeeze", "Unsqueeze");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
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
                  default ->
                      Optional.of(tensor)
                          .filter(t -> t.elements() == 1)
                          .filter(t -> node.input(1).isEmpty() || axes(node, context) == t.rank())
                          .map(t -> t.reshaped(List.of()));
                })
        .map(folded -> Respelled.constant(node, folded));
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
