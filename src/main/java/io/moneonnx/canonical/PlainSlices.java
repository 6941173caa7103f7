package io.moneonnx.canonical;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * A {@code Slice} names its axes, and no steps of 1. One that leaves nothing out is an identity.
 *
 * <pre>{@code
 * y = Slice (x, [1], [2], [0], [1])                 =>      y = Slice (x, [1], [2], [0])
 * y = Slice (x, [1], [2])                           =>      y = Slice (x, [1], [2], [0])
 * y = Slice (x, [0], [9223372036854775807], [0])    =>      y = Identity (x)
 * }</pre>
 */
final class PlainSlices implements Rule {
  @Override
  public Set<String> operators() {
    return Set.of("Slice");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    boolean hasSteps = node.given(4).isPresent();
    if (hasSteps && !isAll(node.input(4), 1, context)) {
      return Optional.empty();
    }
    if (isAll(node.input(1), 0, context) && isAll(node.input(2), Long.MAX_VALUE, context)) {
      return Optional.of(
          Respelled.as(
              Node.of("Identity", List.of(node.input(0)), List.of(node.output()), Map.of())));
    }
    boolean hasAxes = node.given(3).isPresent();
    Optional<String> axes =
        hasAxes
            ? Optional.of(node.input(3))
            : context
                .constant(node.input(1))
                .filter(starts -> starts.type() == ElementType.INT64)
                .map(starts -> LongStream.range(0, starts.elements()).toArray())
                .map(all -> all.length == 1 ? context.number(0) : axes(node, all, context));
    return (hasAxes && !hasSteps) || axes.isEmpty()
        ? Optional.empty()
        : Optional.of(
            Respelled.as(
                node.withInputs(List.of(node.input(0), node.input(1), node.input(2), axes.get()))));
  }

  private static String axes(Node node, long[] all, RuleContext context) {
    return context.constant(node.output() + "/axes", Tensor.vector(all));
  }

  private static boolean isAll(String value, long number, RuleContext context) {
    return context
        .integers(value)
        .filter(found -> Arrays.stream(found).allMatch(n -> n == number))
        .isPresent();
  }
}
