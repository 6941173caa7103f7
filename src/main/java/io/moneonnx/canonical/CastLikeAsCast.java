package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Node;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A {@code CastLike} casts to the type of its second input.
 *
 * <pre>{@code
 * y = CastLike (x, like)      =>      y = Cast <to = type of like> (x)
 * }</pre>
 */
final class CastLikeAsCast implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("CastLike");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return context
        .type(node.input(1))
        .map(
            type ->
                Respelled.as(
                    Node.of(
                        "Cast",
                        List.of(node.input(0)),
                        node.outputs(),
                        Map.of("to", Attribute.of(type.code())))));
  }
}
