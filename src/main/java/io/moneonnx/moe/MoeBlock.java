package io.moneonnx.moe;

import java.util.Set;

/**
 * A Mixture-of-Experts block that was found complete.
 *
 * @param name unique in the model, made from the exporter's names; for people and files
 * @param form the name of the form that recognised it
 * @param coefficients value {@code [tokens, topK]}, aligned with the routing's indices: what
 *     multiplies each chosen expert's output
 * @param output value {@code [tokens, hidden]}: the routed output, the sum over the chosen experts
 * @param weights the initializers that hold the weights of the experts
 * @param expertBytes bytes of the weights of one expert
 */
public record MoeBlock(
    String name,
    String form,
    Routing routing,
    String coefficients,
    String output,
    Set<String> weights,
    long expertBytes,
    Layout layout) {
  public MoeBlock {
    weights = Set.copyOf(weights);
  }

  public int experts() {
    return routing.experts();
  }

  public int topK() {
    return routing.topK();
  }

  public int hidden() {
    return routing.hidden();
  }

  MoeBlock named(String unique) {
    return new MoeBlock(unique, form, routing, coefficients, output, weights, expertBytes, layout);
  }
}
