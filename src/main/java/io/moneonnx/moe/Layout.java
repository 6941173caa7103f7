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
   * /** Values that are gathered of stacked constants {@code [experts, ...]}, for each row by the
   * id of its expert.
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

  /** Takes these experts and their weights out, and their router's rows with them. */
  default void cut(Ops ops, RouterCut router, Set<Integer> experts) {
    router.apply(ops, experts);
    remove(ops, experts);
  }
}
