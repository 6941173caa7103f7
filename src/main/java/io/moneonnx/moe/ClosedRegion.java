package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Reach;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Checks that what a rewrite takes out or changes is seen by the rest of the graph through one
 * value only, the block's routed output.
 */
public final class ClosedRegion {
  private ClosedRegion() {}

  /**
   * Why the region is not closed; empty if it is.
   *
   * @param from where the region begins
   * @param output the one value through which it may be seen
   */
  public static Optional<String> leak(Graph graph, List<String> from, String output) {
    Set<String> region = Reach.forward(graph, from, output::equals);
    Set<String> before = Reach.backward(graph, List.of(output), value -> !region.contains(value));
    return region.stream()
        .filter(value -> before.contains(value) && !value.equals(output))
        .filter(value -> graph.isOutput(value) || isReadOutside(graph, value, before))
        .findFirst()
        .map(
            value ->
                "'%s', inside the experts, is read outside the block too; expected all through '%s'"
                    .formatted(value, output));
  }

  /** True where something that matters reads the value and does not lead to the block's output. */
  private static boolean isReadOutside(Graph graph, String value, Set<String> before) {
    return graph.consumers(value).stream()
        .filter(node -> node.outputs().stream().noneMatch(before::contains))
        .flatMap(node -> node.outputs().stream())
        .anyMatch(made -> graph.isOutput(made) || !graph.consumers(made).isEmpty());
  }
}
