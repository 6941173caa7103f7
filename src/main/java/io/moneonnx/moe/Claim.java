package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import java.util.List;
import java.util.Set;

/**
 * What a form found of a block.
 *
 * @param output value {@code [tokens, hidden]}: the routed output, the sum over the chosen experts
 * @param weights the initializers that hold the weights of the experts
 * @param owners ids of the experts that own weights, in order: all, but for those that were pruned
 *     before
 * @param expertBytes bytes of the weights of one expert
 * @param ffn what the experts compute: of each owner in the order of their ids, or of all at once
 *     where their weights are stacked; empty where it is no feed-forward network
 */
public record Claim(
    Routing routing,
    RoutingWeights routingWeights,
    String output,
    Set<String> weights,
    List<Integer> owners,
    long expertBytes,
    List<Ffn> ffn,
    Layout layout) {
  public Claim {
    weights = Set.copyOf(weights);
    owners = List.copyOf(owners);
    ffn = List.copyOf(ffn);
  }

  /** Width of what the experts put out. */
  public int hidden() {
    return routing.hidden();
  }

  /** The same claim where rows of another width are chosen. */
  Claim ofWidth(int width) {
    return new Claim(
        routing.ofWidth(width), routingWeights, output, weights, owners, expertBytes, ffn, layout);
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
    List<Integer> all = routing.without(Set.of());
    return of(graph, routing, routingWeights, output, weights, all, ffn, layout);
  }

  /** The same where only these experts own weights. */
  public static Claim of(
      Graph graph,
      Routing routing,
      RoutingWeights routingWeights,
      String output,
      Set<String> weights,
      List<Integer> owners,
      List<Ffn> ffn,
      Layout layout) {
    long bytes =
        weights.stream().mapToLong(name -> graph.constant(name).orElseThrow().byteSize()).sum();
    return new Claim(
        routing, routingWeights, output, weights, owners, bytes / owners.size(), ffn, layout);
  }
}
