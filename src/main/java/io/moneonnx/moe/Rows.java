package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The raw outputs of a block's experts as rows, before their routing weights. Slot {@code s} of
 * {@code tokens x topK} slots is choice {@code s % topK} of token {@code s / topK}: the order of
 * the flattened routing indices.
 */
public interface Rows {
  /** The rows of the experts that were chosen. */
  Chosen chosen(Ops ops, Claim block);

  /** Overwrites the rows by novices; the rest of the block stays as it is. */
  void overwrite(Ops ops, Claim block, Novices novices);

  /**
   * True for rows that are computed again beside a block which shows none of its own: the block
   * does not read them.
   */
  default boolean isBesideBlock() {
    return false;
  }

  /** What each expert puts out, in the order of their ids, where those are values of their own. */
  default List<String> each() {
    return List.of();
  }

  /**
   * Rows of chosen experts.
   *
   * @param rows {@code [R, hidden]}
   * @param slots int64 {@code [R]}: the slot of each row, in the order of their experts; empty if
   *     there is a row for each slot, in their order
   */
  record Chosen(String rows, Optional<String> slots) {}

  /**
   * One value for each expert that owns weights, in the order of their ids.
   *
   * @param outputs values {@code [rows of expert e, hidden]}
   * @param slots int64 {@code [all rows]}: the slot of each row of the concatenated outputs
   */
  record PerExpert(List<String> outputs, String slots) implements Rows {
    @Override
    public List<String> each() {
      return outputs;
    }

    @Override
    public Chosen chosen(Ops ops, Claim block) {
      return new Chosen(ops.concat(0, outputs), Optional.of(slots));
    }

    @Override
    public void overwrite(Ops ops, Claim block, Novices novices) {
      overwriteEach(ops, block, outputs, novices);
    }
  }

  /**
   * One value that holds a row for each slot, in the order of their experts.
   *
   * @param outputs value {@code [tokens * topK, hidden]}
   * @param slots int64 {@code [tokens * topK]}: the slot of each row
   */
  record Permuted(String outputs, String slots) implements Rows {
    @Override
    public Chosen chosen(Ops ops, Claim block) {
      return new Chosen(outputs, Optional.of(slots));
    }

    @Override
    public void overwrite(Ops ops, Claim block, Novices novices) {
      String ids = ops.gather(ids(ops, block), slots);
      redirect(ops, outputs, novices.over(ops, outputs, ids, block.hidden()));
    }
  }

  /**
   * One value that holds a row for each slot.
   *
   * @param outputs value {@code [tokens * topK, hidden]}, or with more axes in the same order
   */
  record PerSlot(String outputs) implements Rows {
    @Override
    public Chosen chosen(Ops ops, Claim block) {
      return new Chosen(outputs, Optional.empty());
    }

    @Override
    public void overwrite(Ops ops, Claim block, Novices novices) {
      redirect(ops, outputs, novices.over(ops, outputs, ids(ops, block), block.hidden()));
    }
  }

  /**
   * A row for each slot, computed again beside the block, which shows none of its own: what the
   * rows come to takes the place of the block's output.
   *
   * @param outputs value {@code [tokens * topK, hidden]}
   */
  record Recomputed(String outputs) implements Rows {
    @Override
    public Chosen chosen(Ops ops, Claim block) {
      return new Chosen(outputs, Optional.empty());
    }

    @Override
    public boolean isBesideBlock() {
      return true;
    }

    @Override
    public void overwrite(Ops ops, Claim block, Novices novices) {
      Routing routing = block.routing();
      String rows = novices.over(ops, outputs, ids(ops, block), block.hidden());
      String weights = block.routingWeights().perChoice(ops, routing, routing.indices(ops));
      String gates = ops.cast(ops.reshape(weights, -1, 1), ElementType.FLOAT);
      String scaled = ops.mul(ops.cast(rows, ElementType.FLOAT), gates);
      String perToken = ops.reshape(scaled, -1, routing.topK(), block.hidden());
      ElementType type = ops.edit().type(block.output()).orElseThrow();
      redirect(ops, block.output(), ops.cast(ops.reduceSum(perToken, false, 1), type));
    }
  }

  /**
   * One value for each expert that owns weights, in the order of their ids, with a row for every
   * token, chosen or not.
   *
   * @param outputs values {@code [tokens, hidden]}
   */
  record Dense(List<String> outputs) implements Rows {
    @Override
    public List<String> each() {
      return outputs;
    }

    @Override
    public Chosen chosen(Ops ops, Claim block) {
      String indices = block.routing().indices(ops); // [tokens, topK]
      List<String> rows = new ArrayList<>();
      List<String> slots = new ArrayList<>();
      for (int i = 0; i < outputs.size(); i++) {
        int expert = block.owners().get(i);
        String choices = ops.reshape(ops.equal(indices, ops.vector(expert)), -1);
        String slot = ops.nonZero(choices);
        slots.add(slot);
        rows.add(
            ops.gather(
                ops.reshape(outputs.get(i), -1, block.hidden()),
                ops.div(slot, ops.vector(block.routing().topK()))));
      }
      return new Chosen(ops.concat(0, rows), Optional.of(ops.concat(0, slots)));
    }

    @Override
    public void overwrite(Ops ops, Claim block, Novices novices) {
      overwriteEach(ops, block, outputs, novices);
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
    @Override
    public Chosen chosen(Ops ops, Claim block) {
      return new Chosen(chosen(ops, block.routing(), expertsInFront(ops)), Optional.empty());
    }

    /**
     * The row of each slot: row {@code e * tokens + t} of {@code all [experts, tokens, hidden]}.
     */
    public static String chosen(Ops ops, Routing routing, String all) {
      String indices = routing.indices(ops); // [tokens, topK]
      String tokens = ops.size(indices, 0);
      String token = ops.unsqueeze(ops.range(tokens), 1);
      String row = ops.reshape(ops.add(ops.mul(indices, tokens), token), -1);
      return ops.gather(ops.reshape(all, -1, routing.hidden()), row);
    }

    private String expertsInFront(Ops ops) {
      List<Long> order = new ArrayList<>();
      LongStream.range(0, rank).forEach(order::add);
      order.add(0, order.remove(axis));
      return axis == 0 ? outputs : ops.transpose(outputs, order.toArray(Long[]::new));
    }

    /** Overwrites the experts where they are along their axis. */
    @Override
    public void overwrite(Ops ops, Claim block, Novices novices) {
      int experts = block.routing().experts();
      ElementType type = ops.edit().type(outputs).orElseThrow();
      String rows = axis == 0 ? ops.reshape(outputs, experts, -1, block.hidden()) : outputs;
      long[] novice = new long[axis == 0 ? 3 : rank - axis];
      Arrays.fill(novice, 1);
      novice[0] = experts;
      String isReplaced = ops.reshape(novices.isReplaced(ops), novice);
      novice[novice.length - 1] = block.hidden();
      String table = ops.reshape(novices.table(ops, type), novice);
      if (block.routingWeights().isOnInput()) {
        table = ops.mul(table, isChosen(ops, block, type));
      }
      redirect(ops, outputs, ops.where(isReplaced, table, rows));
    }

    /** 1 where an expert is chosen, 0 elsewhere: {@code [experts, tokens, 1]}. */
    private static String isChosen(Ops ops, Claim block, ElementType type) {
      int experts = block.routing().experts();
      List<Integer> all = IntStream.range(0, experts).boxed().toList();
      String weights = block.routingWeights().perExpert(ops, block.routing(), all, type);
      long[] ids = LongStream.range(0, experts).toArray();
      String byExpert = ops.transpose(ops.gather(weights, ops.vector(ids), 1), 1L, 0L);
      return ops.reshape(byExpert, experts, -1, 1);
    }
  }

  /** The expert of each slot, int64 {@code [slots]}. */
  private static String ids(Ops ops, Claim block) {
    return ops.reshape(block.routing().indices(ops), -1);
  }

  private static void redirect(Ops ops, String raw, String overwritten) {
    ops.edit().redirect(raw, ops.reshapeLike(overwritten, raw));
  }

  private static void overwriteEach(Ops ops, Claim block, List<String> outputs, Novices novices) {
    for (int expert : novices.experts()) {
      String raw = outputs.get(block.owners().indexOf(expert));
      redirect(ops, raw, novices.inPlaceOf(ops, expert, ops.reshape(raw, -1, block.hidden())));
    }
  }
}
