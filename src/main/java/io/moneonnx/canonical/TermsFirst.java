package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A sum of weighted terms that begins with something else, such as the output of a shared expert,
 * adds that last. Terms are products of what the same operators make; where what was added so far
 * is read elsewhere too, as what a layer adds to the ones before it, that is no sum of its own.
 *
 * <pre>{@code
 * a = Add (shared, term0)  y = Add (a, term1)      =>      s = Add (term0, term1)
 *                                                          y = Add (shared, s)
 * }</pre>
 */
final class TermsFirst implements Rule {
  /** Operators that make what a sum of its own may begin with: zeros. */
  private static final Set<String> FILLING = Set.of("ConstantOfShape", "Expand", "Identity");

  @Override
  public Set<String> operators() {
    return Set.of("Add");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return Stream.of(0, 1)
        .flatMap(sum -> moved(node, node.input(sum), node.input(1 - sum), context).stream())
        .findFirst();
  }

  private static Optional<Respelled> moved(
      Node node, String sum, String term, RuleContext context) {
    Optional<Node> before =
        context.producer(sum, "Add").filter(add -> context.isReadOnce(add.output()));
    List<String> kind = kind(term, context);
    if (before.isEmpty() || kind.isEmpty()) {
      return Optional.empty();
    }
    return Stream.of(0, 1)
        .filter(i -> isSum(before.get().input(1 - i), kind, context))
        .filter(i -> isOther(before.get().input(i), kind, context))
        .map(i -> last(node, before.get().input(i), before.get().input(1 - i), term, context))
        .findFirst();
  }

  private static Respelled last(
      Node node, String first, String terms, String term, RuleContext context) {
    String sum = context.fresh(node.output() + "/terms");
    return Respelled.as(
        Node.of("Add", List.of(terms, term), List.of(sum), Map.of()),
        Node.of("Add", List.of(first, sum), node.outputs(), Map.of()));
  }

  /** The operators that make the two factors of a computed product; empty for all else. */
  private static List<String> kind(String value, RuleContext context) {
    return context
        .producer(value, "Mul")
        .map(
            product ->
                product.inputs().stream()
                    .flatMap(factor -> context.producer(factor).stream())
                    .map(Node::opType)
                    .sorted()
                    .toList())
        .filter(made -> made.size() == 2)
        .orElse(List.of());
  }

  /** True for a term, and for what the rule has made of terms so far. */
  private static boolean isSum(String value, List<String> kind, RuleContext context) {
    return kind(value, context).equals(kind) || endsWithTerm(value, kind, context);
  }

  private static boolean endsWithTerm(String value, List<String> kind, RuleContext context) {
    return context
        .producer(value, "Add")
        .filter(sum -> kind(sum.input(1), context).equals(kind))
        .isPresent();
  }

  private static boolean isOther(String value, List<String> kind, RuleContext context) {
    return !isSum(value, kind, context)
        && context.constant(value).isEmpty()
        && context.producer(value).filter(node -> FILLING.contains(node.opType())).isEmpty();
  }
}
