package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Node;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * A {@code Transpose} names the order of the axes, changes it, and reads no other transpose of a
 * computed value.
 *
 * <pre>{@code
 * y = Transpose (x [A, B])                                                =>  <perm = [1, 0]>
 * y = Transpose <perm = [0, 1]> (x)                                       =>  y = Identity (x)
 * t = Transpose <perm = [1, 2, 0]> (x)  y = Transpose <perm = [1, 0, 2]> (t)
 *                                                    =>  y = Transpose <perm = [2, 1, 0]> (x)
 * }</pre>
 */
final class PlainTransposes implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Transpose");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    Optional<List<Long>> known = perm(node, context);
    if (known.isEmpty()) {
      return Optional.empty();
    }
    List<Long> perm = known.get();
    if (perm.equals(LongStream.range(0, perm.size()).boxed().toList())) {
      return Optional.of(
          Respelled.as(Node.of("Identity", node.inputs(), node.outputs(), Map.of())));
    }
    Optional<Node> before = context.producer(node.input(0), "Transpose");
    if (before.isPresent()
        && before.get().attributes().get("perm") instanceof Attribute.OfInts first) {
      before.get().permutation(perm.size());
      List<Long> both = perm.stream().map(axis -> first.values().get(axis.intValue())).toList();
      return Optional.of(Respelled.as(transpose(before.get().input(0), both, node)));
    }
    return node.attributes().isEmpty()
        ? Optional.of(Respelled.as(transpose(node.input(0), perm, node)))
        : Optional.empty();
  }

  private static Optional<List<Long>> perm(Node node, RuleContext context) {
    if (node.attributes().get("perm") instanceof Attribute.OfInts given) {
      node.permutation(given.values().size());
      return Optional.of(given.values());
    }
    OptionalInt rank = context.rank(node.input(0));
    List<Long> reversed = new ArrayList<>(LongStream.range(0, rank.orElse(0)).boxed().toList());
    Collections.reverse(reversed);
    return rank.isPresent() ? Optional.of(reversed) : Optional.empty();
  }

  private static Node transpose(String value, List<Long> perm, Node like) {
    return Node.of(
        "Transpose", List.of(value), like.outputs(), Map.of("perm", new Attribute.OfInts(perm)));
  }
}
