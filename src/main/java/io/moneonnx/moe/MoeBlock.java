package io.moneonnx.moe;

import java.util.Set;

/**
 * A Mixture-of-Experts block that was found complete.
 *
 * @param name unique in the model, made from the exporter's names; for people and files
 * @param form the name of the form that recognised it
 */
public record MoeBlock(String name, String form, Precision precision, Claim claim) {
  public Routing routing() {
    return claim.routing();
  }

  public Coefficients coefficients() {
    return claim.coefficients();
  }

  /** The value {@code [tokens, hidden]} that sums up what the chosen experts contribute. */
  public String output() {
    return claim.output();
  }

  /** The initializers that hold the weights of the experts. */
  public Set<String> weights() {
    return claim.weights();
  }

  /** Bytes of the weights of one expert. */
  public long expertBytes() {
    return claim.expertBytes();
  }

  public Layout layout() {
    return claim.layout();
  }

  public int experts() {
    return routing().experts();
  }

  public int topK() {
    return routing().topK();
  }

  public int hidden() {
    return routing().hidden();
  }
}
