package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A {@code Sum} adds its inputs up one after the other.
 *
 * <pre>{@code
 * y = Sum (a, b, c)      =>      t = Add (a, b)  y = Add (t, c)
 * }</pre>
 */
final class SumAsAdds implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Sum");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    List<String> inputs = node.inputs();
    if (inputs.size() == 1) {
      return Optional.of(
          Respelled.as(Node.of("Identity", inputs, List.of(node.output()), Map.of())));
    }
    List<Node> adds = new ArrayList<>();
    String sum = inputs.get(0);
    for (int i = 1; i < inputs.size(); i++) {
      boolean isLast = i == inputs.size() - 1;
      String next = isLast ? node.output() : context.fresh(node.output() + "/sum");
      adds.add(Node.of("Add", List.of(sum, inputs.get(i)), List.of(next), Map.of()));
      sum = next;
    }
    return Optional.of(Respelled.as(adds));
  }
}
