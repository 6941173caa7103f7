package io.moneonnx.moe;

import io.moneonnx.graph.Ops;
import java.util.List;
import java.util.Optional;
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

  public RoutingWeights routingWeights() {
    return claim.routingWeights();
  }

  /** The value {@code [tokens, hidden]} that sums up what the chosen experts contribute. */
  public String output() {
    return claim.output();
  }

  /** The ids of the experts that own weights, in order: others are never pruned or counted. */
  public List<Integer> owners() {
    return claim.owners();
  }

  /** The ids of the others, in order. */
  public List<Integer> weightless() {
    return routing().without(Set.copyOf(owners()));
  }

  /** What the experts compute: of each owner, or of all at once; empty where it is opaque. */
  public List<Ffn> ffn() {
    return claim.ffn();
  }

  /**
   * Neurons of an expert, the width of what its down projection reads; 0 where it is opaque, where
   * experts {@link #haveOwnWidths}, and where some own no weights.
   */
  public int inner() {
    return isUneven() ? 0 : ffn().stream().findFirst().map(Ffn::inner).orElse(0);
  }

  private boolean isUneven() {
    return haveOwnWidths() || owners().size() < experts();
  }

  /** Whether the experts differ in width, as experts that were narrowed do. */
  public boolean haveOwnWidths() {
    return ffn().stream().map(Ffn::inner).distinct().count() > 1;
  }

  /** The initializers that hold the weights of the experts. */
  public Set<String> weights() {
    return claim.weights();
  }

  /** Bytes of the weights of one expert. */
  public long expertBytes() {
    return claim.expertBytes();
  }

  /** The raw outputs of the experts: what is observed. */
  public Rows rows(Ops ops) {
    return claim.layout().rows(ops);
  }

  /** The rows of the experts that were chosen. */
  public Rows.Chosen chosen(Ops ops, Rows rows) {
    return rows.chosen(ops, claim);
  }

  /**
   * What the last projections of the experts that were chosen read; empty where the graph does not
   * show it, nor is it known how it is computed, and where experts have no {@link #inner} width.
   */
  public Optional<Activations> activations(Ops ops) {
    if (isUneven()) {
      return Optional.empty();
    }
    return Ffn.activations(ffn())
        .flatMap(values -> claim.layout().activations(ops, values))
        .map(rows -> shown(ops, rows.chosen(ops, claim.ofWidth(inner()))))
        .or(() -> claim.layout().recomputed(ops));
  }

  private Activations shown(Ops ops, Rows.Chosen rows) {
    return new Activations.Shown(ops.reshape(rows.rows(), -1, inner()), rows.slots());
  }

  /** Overwrites raw outputs by novices, with no expert removed: what a rewrite is held against. */
  public void overwrite(Ops ops, Novices novices) {
    claim.layout().rows(ops).overwrite(ops, claim, novices);
  }

  /** Takes these experts and their weights out; what they contributed to the output is missing. */
  public void remove(Ops ops, Set<Integer> experts) {
    claim.layout().remove(ops, experts);
  }

  /** Takes these experts and their weights out, and their router's rows with them. */
  public void cut(Ops ops, RouterCut router, Set<Integer> experts) {
    claim.layout().cut(ops, router, experts);
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
