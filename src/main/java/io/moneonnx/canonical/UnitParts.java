package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One index of an axis that stays is cut out by a {@code Slice}, and so is each part of a weight.
 *
 * <pre>{@code
 * a, b = Split <axis = 1> (x, [1, 1])               =>   a = Slice (x, [0], [1], [1])
 *                                                        b = Slice (x, [1], [2], [1])
 * gate, up = Split <axis = 0> (both [10, 4])        =>   gate = Slice (both, [0], [5], [0])
 *                                                        up = Slice (both, [5], [10], [0])
 * a = Gather <axis = 1> (x, [2])                    =>   a = Slice (x, [2], [3], [1])
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
      return sizes(node, context).map(sizes -> parts(node, sizes, axis, context));
    }
    return context
        .constant(node.input(1))
        .filter(index -> index.rank() == 1 && index.elements() == 1)
        .map(index -> index.toLongs()[0])
        .filter(index -> index >= 0)
        .map(index -> Respelled.as(slice(node, index, index + 1, axis, node.output(), context)));
  }

  /** The sizes of the parts, if they are known and the parts are of a weight, or units. */
  private static Optional<long[]> sizes(Node split, RuleContext context) {
    Optional<List<Long>> weight = context.weightShape(split.input(0));
    if (split.given(1).isPresent()) {
      return context
          .integers(split.input(1))
          .filter(sizes -> sizes.length == split.outputs().size())
          .filter(sizes -> weight.isPresent() || Arrays.stream(sizes).allMatch(size -> size == 1));
    }
    return weight
        .filter(dims -> split.attribute("split").isEmpty())
        .map(dims -> equal(dims.get(split.axis(0, dims.size())), split));
  }

  /** All parts of one size, but for the last where that is what is left. */
  private static long[] equal(long whole, Node split) {
    long[] sizes = new long[split.outputs().size()];
    long each = (whole + sizes.length - 1) / sizes.length;
    Arrays.fill(sizes, each);
    sizes[sizes.length - 1] = whole - each * (sizes.length - 1);
    return sizes;
  }

  private static Respelled parts(Node split, long[] sizes, long axis, RuleContext context) {
    List<Node> slices = new ArrayList<>();
    long from = 0;
    for (int i = 0; i < sizes.length; i++) {
      String output = split.outputs().get(i);
      if (!output.isEmpty()) {
        slices.add(slice(split, from, from + sizes[i], axis, output, context));
      }
      from += sizes[i];
    }
    return Respelled.as(slices);
  }

  private static Node slice(
      Node node, long from, long to, long axis, String output, RuleContext context) {
    return Node.of(
        "Slice",
        List.of(node.input(0), context.number(from), context.number(to), context.number(axis)),
        List.of(output),
        Map.of());
  }
}
