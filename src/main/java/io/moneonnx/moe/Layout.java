package io.moneonnx.moe;

import io.moneonnx.graph.Ops;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Where the experts of a recognised block are. Nothing else in the program knows how a block is
 * laid out: everything is measured, proved and rewritten through these answers.
 */
public interface Layout {
  /**
   * Where the raw outputs of the experts, before their routing weights, can be read and
   * overwritten.
   */
  Rows rows(Ops ops);

  /**
   * Values that are gathered of stacked constants {@code [experts, ...]}, for each row by the id of
   * its expert.
   */
  default Set<String> gathered() {
    return Set.of();
  }

  /**
   * Where what the last projections of the experts read can be read, {@code inner} wide, in rows
   * that lie as their outputs do; empty where no value of the graph is that.
   *
   * @param values what those projections read: of each expert, or of all at once
   */
  default Optional<Rows> activations(Ops ops, List<String> values) {
    return Optional.empty();
  }

  /**
   * What the last projections of the experts read, computed again beside a block whose graph does
   * not show it; empty where it is not known how.
   */
  default Optional<Activations> recomputed(Ops ops) {
    return Optional.empty();
  }

  /**
   * Takes these experts and their weights out. What they contributed to the block's routed output
   * is then missing from it; the novice term is added by the caller.
   */
  void remove(Ops ops, Set<Integer> experts);

  /**
   * Why atoms cannot take the place of the experts; empty if they can.
   *
   * @param bias what is added to the output of each expert, if anything is
   */
  default Optional<String> indivisible(Optional<String> bias) {
    return Optional.of("slices of its experts cannot be computed apart");
  }

  /**
   * Lets atoms be computed where experts were, behind an edit that put atoms into the constants
   * that have neurons. What else there is of an expert is that of each of its atoms, but its bias
   * is that of the first alone.
   */
  default void split(Ops ops, Atoms atoms, Optional<String> bias) {
    throw new UnsupportedOperationException(indivisible(bias).orElse("split"));
  }

  /** Takes these experts and their weights out, and their router's rows with them. */
  default void cut(Ops ops, RouterCut router, Set<Integer> experts) {
    router.apply(ops, experts);
    remove(ops, experts);
  }
}
