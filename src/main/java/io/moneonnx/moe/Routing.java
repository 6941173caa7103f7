package io.moneonnx.moe;

import io.moneonnx.graph.Ops;

/**
 * One routing decision: which experts each token goes to.
 *
 * @param choice where the decision stands in the graph
 * @param topK experts chosen for each token
 * @param experts width of the router, {@code E}
 * @param hidden width of the router's input, {@code H}
 * @param input value {@code [..., hidden]} that the router scores, before any reshaping
 * @param router the initializer that holds the router's weight
 * @param kind what the router computes, by the name of its pattern, or {@code unknown}
 */
public record Routing(
    Choice choice, int topK, int experts, int hidden, String input, String router, String kind) {
  /** The chosen ids, int64 {@code [tokens, topK]}. */
  public String indices(Ops ops) {
    return choice.indices(ops, topK);
  }

  /** The same decision under the name that a form has for its kind. */
  public Routing named(String otherKind) {
    return new Routing(choice, topK, experts, hidden, input, router, otherKind);
  }

  /** The same decision, of which {@code kept [..., experts]} takes some choices back. */
  public Routing keptBy(String kept) {
    Choice capped = new Choice.Capped(choice.value(), choice.scores(), kept);
    return new Routing(capped, topK, experts, hidden, input, router, kind);
  }
}
