package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.Optional;
import java.util.Set;

/**
 * A {@code Constant}, whichever attribute holds its value, is an initializer.
 *
 * <pre>{@code
 * c = Constant <value_ints = [1, 2]> ()      =>      <int64[2] c = {1, 2}>
 * }</pre>
 */
final class NameConstants implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Constant");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    return Graph.tensorOf(node).map(tensor -> Respelled.constant(node, tensor));
  }
}
