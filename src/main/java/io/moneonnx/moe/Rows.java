package io.moneonnx.moe;

import io.moneonnx.graph.Ops;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The raw outputs of a block's experts as rows. Slot {@code s} of {@code tokens x topK} slots is
 * choice {@code s % topK} of token {@code s / topK}: the order of the flattened routing indices.
 */
public sealed interface Rows {
  /** Rows that lie in the order of {@code slots}, int64 {@code [rows]}. */
  sealed interface Listed extends Rows {
    /** All rows, {@code [rows, hidden]}. */
    String all(Ops ops);

    String slots();
  }

  /**
   * One value for each expert, in the order of their ids.
   *
   * @param outputs values {@code [rows of expert e, hidden]}
   * @param slots int64 {@code [all rows]}: the slot of each row of the concatenated outputs
   */
  record PerExpert(List<String> outputs, String slots) implements Listed {
    @Override
    public String all(Ops ops) {
      return ops.concat(0, outputs);
    }
  }

  /**
   * One value that holds a row for each slot, in another order.
   *
   * @param outputs value {@code [tokens * topK, hidden]}
   * @param slots int64 {@code [tokens * topK]}: the slot of each row
   */
  record Permuted(String outputs, String slots) implements Listed {
    @Override
    public String all(Ops ops) {
      return outputs;
    }
  }

  /**
   * One value that holds a row for each slot.
   *
   * @param outputs value {@code [tokens * topK, hidden]}
   */
  record PerSlot(String outputs) implements Rows {}

  /**
   * A row for each slot, computed again beside the block, which shows none of its own: what is
   * written over them does not reach the block's output by itself.
   *
   * @param outputs value {@code [tokens * topK, hidden]}
   */
  record Recomputed(String outputs) implements Rows {}

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
    public PerExpert chosen(Ops ops, String indices, Routing routing) {
      List<String> rows = new ArrayList<>();
      List<String> slots = new ArrayList<>();
      for (int expert = 0; expert < outputs.size(); expert++) {
        String choices = ops.reshape(ops.equal(indices, ops.vector(expert)), -1);
        String slot = ops.nonZero(choices);
        slots.add(slot);
        rows.add(
            ops.gather(
                ops.reshape(outputs.get(expert), -1, routing.hidden()),
                ops.div(slot, ops.vector(routing.topK()))));
      }
      return new PerExpert(rows, ops.concat(0, slots));
    }
  }

  /**
   * One value for all experts with a row for every token, chosen or not.
   *
   * @param outputs value {@code [experts, tokens, hidden]}; tokens may have several axes
   * @param axis where the experts are instead, if not in front
   * @param rank how many axes there are
   */
  record Stacked(String outputs, int axis, int rank) implements Rows {
    /** Experts in front. */
    public Stacked(String outputs) {
      this(outputs, 0, 3);
    }

    /**
     * The rows that were chosen: row {@code e * tokens + t} of all.
     *
     * @param indices value {@code [tokens, topK]}
     */
    public PerSlot chosen(Ops ops, String indices, Routing routing) {
      String tokens = ops.size(indices, 0);
      String token = ops.unsqueeze(ops.range(tokens), 1);
      String row = ops.reshape(ops.add(ops.mul(indices, tokens), token), -1);
      return new PerSlot(ops.gather(ops.reshape(expertsInFront(ops), -1, routing.hidden()), row));
    }

    private String expertsInFront(Ops ops) {
      List<Long> order = new ArrayList<>();
      LongStream.range(0, rank).forEach(order::add);
      order.add(0, order.remove(axis));
      return axis == 0 ? outputs : ops.transpose(outputs, order.toArray(Long[]::new));
    }
  }
}
