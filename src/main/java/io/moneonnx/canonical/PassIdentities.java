package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.Optional;
import java.util.Set;

/**
 * What reads an {@code Identity} reads what it passes on, unless the name is needed: by the graph's
 * outputs, or by a body that captures it.
 *
 * <pre>{@code
 * a = Identity (x)  y = Neg (a)      =>      y = Neg (x)
 * }</pre>
 */
final class PassIdentities implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Identity");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return context.isNamed(node.output())
        ? context.constant(node.input(0)).map(tensor -> Respelled.constant(node, tensor))
        : Optional.of(Respelled.alias(node, node.input(0)));
  }
}
