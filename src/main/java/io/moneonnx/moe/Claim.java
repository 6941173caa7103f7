package io.moneonnx.moe;

import java.util.Set;

/**
 * What a form found of a block.
 *
 * @param output value {@code [tokens, hidden]}: the routed output, the sum over the chosen experts
 * @param weights the initializers that hold the weights of the experts
 * @param expertBytes bytes of the weights of one expert
 */
public record Claim(
    Routing routing,
    Coefficients coefficients,
    String output,
    Set<String> weights,
    long expertBytes,
    Layout layout) {
  public Claim {
    weights = Set.copyOf(weights);
  }
}
