package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * One index of an axis that stays is cut out by a {@code Slice}.
 *
 * <pre>{@code
 * a, b = Split <axis = 1> (x, [1, 1])      =>      a = Slice (x, [0], [1], [1])
 *                                                  b = Slice (x, [1], [2], [1])
 * a = Gather <axis = 1> (x, [2])           =>      a = Slice (x, [2], [3], [1])
 * }</pre>
 */
final class UnitParts implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Gather", "Split");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    long axis = node.intAttribute("axis", 0);
    if (node.is("Split")) {
      return isInUnits(node, axis, context)
          ? Optional.of(
              Respelled.as(
                  IntStream.range(0, node.outputs().size())
                      .filter(i -> !node.outputs().get(i).isEmpty())
                      .mapToObj(i -> slice(node, i, axis, node.outputs().get(i), context))
                      .toList()))
          : Optional.empty();
    }
    return context
        .constant(node.input(1))
        .filter(index -> index.rank() == 1 && index.elements() == 1)
        .map(index -> index.toLongs()[0])
        .filter(index -> index >= 0)
        .map(index -> Respelled.as(slice(node, index, axis, node.output(), context)));
  }

  private static boolean isInUnits(Node split, long axis, RuleContext context) {
    Optional<Tensor> constant = context.constant(split.input(0));
    if (split.input(1).isEmpty()) {
      return constant
          .filter(t -> t.dims().get(Math.floorMod((int) axis, t.rank())) == split.outputs().size())
          .isPresent();
    }
    return context
        .integers(split.input(1))
        .filter(sizes -> Arrays.stream(sizes).allMatch(size -> size == 1))
        .isPresent();
  }

  private static Node slice(Node node, long index, long axis, String output, RuleContext context) {
    return Node.of(
        "Slice",
        List.of(
            node.input(0), context.number(index), context.number(index + 1), context.number(axis)),
        List.of(output),
        Map.of());
  }
}
