package io.moneonnx.canonical;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One index of a constant's axis is cut out before it is cast.
 *
 * <pre>{@code
 * a = Cast <to = 1> (stored)  y = Gather (a, 5)      =>      b = Gather (stored, 5)
 *                                                            y = Cast <to = 1> (b)
 * }</pre>
 */
final class RowsFirst implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Gather", "Slice");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return context
        .producer(node.input(0), "Cast")
        .filter(cast -> isGathered(context.constant(cast.input(0))))
        .filter(cast -> context.constant(node.input(1)).isPresent())
        .map(
            cast -> {
              String row = context.fresh(node.output() + "/stored");
              List<String> inputs = new ArrayList<>(node.inputs());
              inputs.set(0, cast.input(0));
              return Respelled.as(
                  node.withValues(inputs, List.of(row)).withName(""),
                  cast.withValues(List.of(row), List.of(node.output())).withName(""));
            });
  }

  /**
   * True for a constant of a type that {@code Gather} and {@code Slice} take, in opset 13 already.
   */
  private static boolean isGathered(Optional<Tensor> constant) {
    return constant
        .filter(stored -> stored.type().code() <= ElementType.BFLOAT16.code())
        .isPresent();
  }
}
