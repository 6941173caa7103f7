package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
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
        .filter(cast -> context.constant(cast.input(0)).isPresent())
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
}
