package io.moneonnx.moe;

import io.moneonnx.graph.Ops;
import java.util.Optional;

/**
 * What the down projections of the experts that were chosen read, in rows that lie as the experts'
 * outputs do.
 */
public interface Activations {
  /**
   * The slot of each row, int64 {@code [R]}, in the order of their experts; empty if there is a row
   * for each slot, in their order.
   */
  Optional<String> slots();

  /**
   * Some rows of one expert: {@code [n, inner]}.
   *
   * @param expert its id, int64 {@code [1]}
   * @param rows which of all rows, int64 {@code [n]}
   */
  String of(Ops ops, String expert, String rows);

  /** Activations that are computed again beside a block which does not show its own. */
  interface Recomputed extends Activations {
    /**
     * What the down projection of an expert makes of them: its outputs {@code [n, hidden]}, if they
     * are what it reads.
     *
     * @param expert its id, int64 {@code [1]}
     * @param activations {@code [n, inner]}
     */
    String outputs(Ops ops, String expert, String activations);
  }

  /**
   * Rows of the graph.
   *
   * @param all {@code [R, inner]}
   */
  record Shown(String all, Optional<String> slots) implements Activations {
    @Override
    public String of(Ops ops, String expert, String rows) {
      return ops.gather(all, rows);
    }
  }
}
