package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Of the places of hits, one coordinate is a column of their transpose.
 *
 * <pre>{@code
 * hits = NonZero (x)  a = Slice (hits, [1], [2], [0])  y = Squeeze (a, [0])
 * hits = NonZero (x)  y = Gather <axis = 0> (hits, 1)
 * hits = NonZero (x)  p = Transpose <perm = [1, 0]> (hits)  y = Gather <axis = 1> (p, 1)
 *     =>  t = Transpose <perm = [1, 0]> (hits)  b = Slice (t, [1], [2], [1])  y = Squeeze (b, [1])
 * }</pre>
 */
final class HitColumns implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Gather", "Squeeze");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return node.is("Gather")
        ? hits(node.input(0), node.intAttribute("axis", 0), context)
            .flatMap(
                hits -> gathered(node, context).map(i -> column(hits, i, node.output(), context)))
        : context
            .producer(node.input(0), "Slice")
            .filter(slice -> context.producer(slice.input(0), "NonZero").isPresent())
            .flatMap(
                slice ->
                    sliced(slice, node, context)
                        .map(i -> column(slice.input(0), i, node.output(), context)));
  }

  /** The hits {@code [axes, hits]} of which one coordinate lies along an axis. */
  private static Optional<String> hits(String value, long axis, RuleContext context) {
    if (Math.floorMod(axis, 2L) == 0) { // both have two axes
      return context.producer(value, "NonZero").map(hits -> value);
    }
    return context
        .producer(value, "Transpose")
        .map(pairs -> pairs.input(0))
        .filter(hits -> context.producer(hits, "NonZero").isPresent());
  }

  private static Optional<Long> gathered(Node gather, RuleContext context) {
    return context
        .constant(gather.input(1))
        .filter(index -> index.rank() == 0)
        .map(index -> index.toLongs()[0])
        .filter(index -> index >= 0);
  }

  private static Optional<Long> sliced(Node slice, Node squeeze, RuleContext context) {
    return context.isNumber(slice.input(3), 0) && context.isNumber(squeeze.input(1), 0)
        ? context
            .integers(slice.input(1))
            .filter(from -> from.length == 1 && context.isNumber(slice.input(2), from[0] + 1))
            .map(from -> from[0])
        : Optional.empty();
  }

  private static Respelled column(String hits, long index, String output, RuleContext context) {
    List<Node> nodes = new ArrayList<>();
    String pairs = context.transposed(hits, List.of(1L, 0L), nodes);
    String column = context.fresh(output + "/column");
    nodes.add(
        Node.of(
            "Slice",
            List.of(pairs, context.number(index), context.number(index + 1), context.number(1)),
            List.of(column),
            Map.of()));
    nodes.add(Node.of("Squeeze", List.of(column, context.number(1)), List.of(output), Map.of()));
    return Respelled.as(nodes);
  }
}
