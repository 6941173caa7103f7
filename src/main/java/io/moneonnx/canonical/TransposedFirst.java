package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Axes of a computed value are put in order before one index of them is cut out.
 *
 * <pre>{@code
 * a = Gather <axis = 2> (x, 5)  y = Transpose <perm = [1, 0]> (a)
 *     =>  t = Transpose <perm = [2, 1, 0]> (x)  y = Gather <axis = 0> (t, 5)
 * a = Slice (x, [0], [1], [0])  y = Transpose <perm = [1, 0]> (a)
 *     =>  t = Transpose <perm = [1, 0]> (x)  y = Slice (t, [0], [1], [1])
 * }</pre>
 */
final class TransposedFirst implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Transpose");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    Optional<Node> cut = context.producer(node.input(0));
    if (cut.isEmpty()
        || context.weightShape(cut.get().input(0)).isPresent()
        || !(node.attributes().get("perm") instanceof Attribute.OfInts perm)) {
      return Optional.empty();
    }
    node.permutation(perm.values().size());
    if (cut.get().is("Gather") && isOneIndex(cut.get(), context)) {
      return Optional.of(gathered(cut.get(), perm.values(), node.output(), context));
    }
    return context
        .constant(cut.get().input(3))
        .filter(axes -> axes.type() == ElementType.INT64)
        .map(Tensor::toLongs)
        .filter(axes -> cut.get().is("Slice") && axes.length == 1)
        .map(axes -> sliced(cut.get(), axes[0], perm.values(), node.output(), context));
  }

  /** True where a {@code Gather} takes one index, and its axis with it. */
  private static boolean isOneIndex(Node gather, RuleContext context) {
    return context.constant(gather.input(1)).filter(index -> index.rank() == 0).isPresent();
  }

  private static Respelled gathered(
      Node gather, List<Long> perm, String output, RuleContext context) {
    int rank = perm.size() + 1;
    long axis = gather.axis(0, rank);
    List<Long> others = LongStream.range(0, rank).filter(a -> a != axis).boxed().toList();
    List<Long> order = new ArrayList<>(List.of(axis));
    perm.forEach(place -> order.add(others.get(place.intValue())));
    List<Node> nodes = new ArrayList<>();
    String first = context.transposed(gather.input(0), order, nodes);
    nodes.add(
        Node.of(
            "Gather",
            List.of(first, gather.input(1)),
            List.of(output),
            Map.of("axis", Attribute.of(0))));
    return Respelled.as(nodes);
  }

  private static Respelled sliced(
      Node slice, long axis, List<Long> perm, String output, RuleContext context) {
    List<Node> nodes = new ArrayList<>();
    String first = context.transposed(slice.input(0), perm, nodes);
    long moved = perm.indexOf(Math.floorMod(axis, (long) perm.size()));
    List<String> inputs = new ArrayList<>(slice.inputs());
    inputs.set(0, first);
    inputs.set(3, context.number(moved));
    nodes.add(slice.withValues(inputs, List.of(output)));
    return Respelled.as(nodes);
  }
}
