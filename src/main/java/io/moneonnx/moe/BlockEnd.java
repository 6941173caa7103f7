package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.Set;

/**
 * Where a block surely ends: at a sum with something that was made before the router's input, the
 * residual. Walks along the dataflow stop there; they would go through all later blocks.
 */
public final class BlockEnd {
  private static final Set<String> ADDING =
      Set.of("Add", "Sum", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization");

  private final Graph graph;
  private final NeutralValues neutral;
  private final int begin;

  /**
   * The end of the block behind a routing decision.
   *
   * @param neutral of the same graph: an empty tensor that sums begin with may be as old as any
   */
  public BlockEnd(Graph graph, NeutralValues neutral, Routing routing) {
    this.graph = graph;
    this.neutral = neutral;
    this.begin = graph.position(routing.input());
  }

  /** True for the sum that joins the residual. */
  public boolean isAt(String value) {
    return graph.producer(value).filter(this::joinsResidual).isPresent();
  }

  private boolean joinsResidual(Node node) {
    return ADDING.contains(node.opType())
        && node.reads().stream()
            .anyMatch(read -> graph.position(read) < begin && !neutral.contains(read));
  }
}
