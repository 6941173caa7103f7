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
        .filter(value -> !value.equals(output))
        .filter(value -> graph.isOutput(value) || !before.contains(value))
        .filter(value -> graph.isOutput(value) || !graph.consumers(value).isEmpty())
        .findFirst()
        .map(
            value ->
                "'%s', inside the experts, is read outside the block too; wanted all through '%s'"
                    .formatted(value, output));
  }
}
