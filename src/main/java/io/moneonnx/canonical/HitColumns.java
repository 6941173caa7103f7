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
  public Optional<Respelled> apply(Node node, Scope scope) {
    return node.is("Gather")
        ? hits(node.input(0), node.intAttribute("axis", 0), scope)
            .flatMap(hits -> gathered(node, scope).map(i -> column(hits, i, node.output(), scope)))
        : scope
            .producer(node.input(0), "Slice")
            .filter(slice -> scope.producer(slice.input(0), "NonZero").isPresent())
            .flatMap(
                slice ->
                    sliced(slice, node, scope)
                        .map(i -> column(slice.input(0), i, node.output(), scope)));
  }

  /** The hits {@code [axes, hits]} of which one coordinate lies along an axis. */
  private static Optional<String> hits(String value, long axis, Scope scope) {
    if (axis == 0) {
      return scope.producer(value, "NonZero").map(hits -> value);
    }
    return scope
        .producer(value, "Transpose")
        .map(pairs -> pairs.input(0))
        .filter(hits -> scope.producer(hits, "NonZero").isPresent());
  }

  private static Optional<Long> gathered(Node gather, Scope scope) {
    return scope
        .constant(gather.input(1))
        .filter(index -> index.rank() == 0)
        .map(index -> index.toLongs()[0])
        .filter(index -> index >= 0);
  }

  private static Optional<Long> sliced(Node slice, Node squeeze, Scope scope) {
    return isOne(slice.input(3), 0, scope) && isOne(squeeze.input(1), 0, scope)
        ? scope
            .integers(slice.input(1))
            .filter(from -> from.length == 1 && isOne(slice.input(2), from[0] + 1, scope))
            .map(from -> from[0])
        : Optional.empty();
  }

  private static boolean isOne(String value, long number, Scope scope) {
    return scope
        .integers(value)
        .filter(found -> found.length == 1 && found[0] == number)
        .isPresent();
  }

  private static Respelled column(String hits, long index, String output, Scope scope) {
    List<Node> nodes = new ArrayList<>();
    String pairs = scope.transposed(hits, List.of(1L, 0L), nodes);
    String column = scope.fresh(output + "/column");
    nodes.add(
        Node.of(
            "Slice",
            List.of(pairs, scope.number(index), scope.number(index + 1), scope.number(1)),
            List.of(column),
            Map.of()));
    nodes.add(Node.of("Squeeze", List.of(column, scope.number(1)), List.of(output), Map.of()));
    return Respelled.as(nodes);
  }
}
