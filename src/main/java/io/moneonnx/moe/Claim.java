package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import java.util.List;
import java.util.Set;

/**
 * What a form found of a block.
 *
 * @param output value {@code [tokens, hidden]}: the routed output, the sum over the chosen experts
 * @param weights the initializers that hold the weights of the experts
 * @param expertBytes bytes of the weights of one expert
 * @param ffn what the experts compute: of each in the order of their ids, or of all at once where
 *     their weights are stacked; empty where it is no feed-forward network
 */
public record Claim(
    Routing routing,
    RoutingWeights routingWeights,
    String output,
    Set<String> weights,
    long expertBytes,
    List<Ffn> ffn,
    Layout layout) {
  public Claim {
    weights = Set.copyOf(weights);
    ffn = List.copyOf(ffn);
  }

  /** Width of what the experts put out. */
  public int hidden() {
    return routing.hidden();
  }

  /** The same claim where rows of another width are chosen. */
  Claim ofWidth(int width) {
    return new Claim(
        routing.ofWidth(width), routingWeights, output, weights, expertBytes, ffn, layout);
  }

  /** A claim on these initializers, of which each expert holds an equal share. */
  public static Claim of(
      Graph graph,
      Routing routing,
      RoutingWeights routingWeights,
      String output,
      Set<String> weights,
      List<Ffn> ffn,
      Layout layout) {
    long bytes =
        weights.stream().mapToLong(name -> graph.constant(name).orElseThrow().byteSize()).sum();
    return new Claim(
        routing, routingWeights, output, weights, bytes / routing.experts(), ffn, layout);
  }
}
