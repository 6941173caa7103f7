package io.moneonnx.moe;

import io.moneonnx.graph.Ops;
import java.util.ArrayList;
import java.util.List;

/**
 * The raw outputs of a block's experts as rows. Slot {@code s} of {@code tokens x topK} slots is
 * choice {@code s % topK} of token {@code s / topK}: the order of the flattened routing indices.
 */
public sealed interface Rows {
  /**
   * One value for each expert, in the order of their ids.
   *
   * @param outputs values {@code [rows of expert e, hidden]}
   * @param slots int64 {@code [all rows]}: the slot of each row of the concatenated outputs
   */
  record PerExpert(List<String> outputs, String slots) implements Rows {}

  /**
   * One value that holds a row for each slot.
   *
   * @param outputs value {@code [tokens * topK, hidden]}
   */
  record PerSlot(String outputs) implements Rows {}

  /**
   * One value for each expert, in the order of their ids, with a row for every token, chosen or
   * not.
   *
   * @param outputs values {@code [tokens, hidden]}
   */
  record Dense(List<String> outputs) implements Rows {
    /**
     * The rows that were chosen.
     *
     * @param indices value {@code [tokens, topK]}
     */
    public PerExpert chosen(Ops ops, String indices, int topK, int hidden) {
      List<String> rows = new ArrayList<>();
      List<String> slots = new ArrayList<>();
      for (int expert = 0; expert < outputs.size(); expert++) {
        String choices = ops.reshape(ops.equal(indices, ops.vector(expert)), -1);
        String slot = ops.nonZero(choices);
        slots.add(slot);
        rows.add(
            ops.gather(
                ops.reshape(outputs.get(expert), -1, hidden), ops.div(slot, ops.vector(topK))));
      }
      return new PerExpert(rows, ops.concat(0, slots));
    }
  }
}
