package io.moneonnx.moe;

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
}
