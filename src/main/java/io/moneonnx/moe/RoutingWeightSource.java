package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.Optional;
import java.util.Set;

/** Finds where the routing weights come from that multiply an expert's rows. */
public final class RoutingWeightSource {
  private static final Set<String> SELECTING =
      Set.of(
          "Cast",
          "Expand",
          "Flatten",
          "Gather",
          "GatherND",
          "Identity",
          "Reshape",
          "Squeeze",
          "Unsqueeze");

  private RoutingWeightSource() {}

  /**
   * The value from which {@code gates}, the routing weights of some rows, were selected: the first
   * above them that no reshaping, casting or gathering operator makes.
   */
  public static String of(Graph graph, String gates) {
    String now = gates;
    Optional<Node> producer = graph.producer(now);
    while (producer.isPresent()
        && producer.get().domain().isEmpty()
        && SELECTING.contains(producer.get().opType())) {
      now = producer.get().input(0);
      producer = graph.producer(now);
    }
    return now;
  }
}
