package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A part of a shape is cut out of the whole shape.
 *
 * <pre>{@code
 * s = Shape <start = 1, end = 3> (x)      =>      t = Shape (x)  s = Slice (t, [1], [3], [0])
 * s = Shape <start = 0> (x)               =>      s = Shape (x)
 * }</pre>
 */
final class ShapePart implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Shape");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    if (node.attributes().isEmpty()) {
      return Optional.empty();
    }
    long start = node.intAttribute("start", 0);
    Optional<Attribute> end = node.attribute("end");
    if (start == 0 && end.isEmpty()) {
      return Optional.of(Respelled.as(node.withAttributes(Map.of())));
    }
    String whole = context.fresh(node.output() + "/shape");
    return Optional.of(
        Respelled.as(
            node.withAttributes(Map.of()).withValues(node.inputs(), List.of(whole)),
            Node.of(
                "Slice",
                List.of(
                    whole,
                    context.constant(whole + "/start", Tensor.vector(start)),
                    context.constant(
                        whole + "/end", Tensor.vector(node.intAttribute("end", Long.MAX_VALUE))),
                    context.constant(whole + "/axis", Tensor.vector(0))),
                node.outputs(),
                Map.of())));
  }
}
