package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What is cut out of a weight is cut out of its constant before that is cast, transposed or cut
 * along a later axis.
 *
 * <pre>{@code
 * a = Cast <to = 1> (stored)  y = Gather (a, 5)      =>      b = Gather (stored, 5)
 *                                                            y = Cast <to = 1> (b)
 * a = Transpose <perm = [0, 2, 1]> (stack)           =>      b = Gather (stack, 5)
 * y = Gather (a, 5)                                          y = Transpose <perm = [1, 0]> (b)
 * a = Slice (stack, [0], [7], [1])                   =>      b = Gather (stack, 5)
 * y = Gather (a, 5)                                          y = Slice (b, [0], [7], [0])
 * }</pre>
 */
final class RowsFirst implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Gather", "Slice");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    Optional<Node> before = context.producer(node.input(0));
    if (before.isEmpty() || context.weightShape(before.get().input(0)).isEmpty()) {
      return Optional.empty();
    } else if (before.get().is("Cast")) {
      return isGathered(before.get().input(0), context)
              && context.constant(node.input(1)).isPresent()
          ? Optional.of(swapped(node, node, before.get(), before.get(), context))
          : Optional.empty();
    }
    return context
        .weightShape(node.input(0))
        .flatMap(dims -> Part.of(context::constant, node, dims))
        .filter(part -> node.is("Slice") || part.dims().size() < rank(node, context))
        .flatMap(part -> swapped(node, part.range().axis(), before.get(), context));
  }

  /** True for what is of a type that {@code Gather} and {@code Slice} take, in opset 13 already. */
  private static boolean isGathered(String stored, RuleContext context) {
    return context
        .type(stored)
        .filter(type -> type.code() <= ElementType.BFLOAT16.code())
        .isPresent();
  }

  private static int rank(Node node, RuleContext context) {
    return context.weightShape(node.input(0)).orElseThrow().size();
  }

  private static Optional<Respelled> swapped(Node cut, int axis, Node before, RuleContext context) {
    int rank = rank(cut, context);
    if (before.is("Transpose")) {
      List<Integer> perm = before.permutation(rank);
      Node after = cut.is("Slice") ? before : before.withAttribute("perm", without(axis, perm));
      return Optional.of(swapped(cut, along(cut, perm.get(axis), context), before, after, context));
    }
    List<Long> dims = context.weightShape(before.input(0)).orElseThrow();
    return Part.of(context::constant, before, dims)
        .filter(part -> before.is("Slice") && axis < part.range().axis())
        .map(
            part -> {
              int later = part.range().axis() - (cut.is("Slice") ? 0 : 1);
              return swapped(cut, cut, before, along(before, later, context), context);
            });
  }

  /** The order of the axes that are left without this one. */
  private static Attribute without(int axis, List<Integer> perm) {
    int gone = perm.get(axis);
    return new Attribute.OfInts(
        IntStream.range(0, perm.size())
            .filter(i -> i != axis)
            .mapToObj(i -> (long) (perm.get(i) > gone ? perm.get(i) - 1 : perm.get(i)))
            .toList());
  }

  /** The same cut along another axis. */
  private static Node along(Node cut, long axis, RuleContext context) {
    if (cut.is("Gather")) {
      return cut.withAttribute("axis", Attribute.of(axis));
    }
    return cut.withInputs(List.of(cut.input(0), cut.input(1), cut.input(2), context.number(axis)));
  }

  private static Respelled swapped(
      Node node, Node cut, Node before, Node after, RuleContext context) {
    String row = context.fresh(node.output() + "/stored");
    List<String> cuts = new ArrayList<>(cut.inputs());
    cuts.set(0, before.input(0));
    List<String> inputs = new ArrayList<>(after.inputs());
    inputs.set(0, row);
    return Respelled.as(
        cut.withValues(cuts, List.of(row)).withName(""),
        after.withValues(inputs, List.of(node.output())).withName(""));
  }
}
