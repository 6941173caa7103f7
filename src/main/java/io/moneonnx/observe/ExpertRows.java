package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Rows;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The rows of a block's experts, in whatever order they lie, with what is known of each. All values
 * are float32 but for ids and slots.
 *
 * @param f {@code [R, hidden]}
 * @param ids of the expert of each row {@code [R]}
 * @param gates the routing weight of each row {@code [R, 1]}
 * @param slots of each row {@code [R]}; empty if there is a row for each slot, in their order
 * @param norm2 {@code ||f||^2} of each row {@code [R, 1]}
 * @param largest magnitude in each row, infinite where something is not finite {@code [R, 1]}
 */
record ExpertRows(
    String f, String ids, String gates, Optional<String> slots, String norm2, String largest) {
  /**
   * The rows that were chosen.
   *
   * @param chosen expert of each slot {@code [slots]}
   * @param gates routing weight of each slot {@code [slots]}
   */
  static ExpertRows of(Ops ops, MoeBlock block, Rows.Chosen rows, String chosen, String gates) {
    String f = ops.cast(ops.reshape(rows.rows(), -1, block.hidden()), ElementType.FLOAT);
    String norm2 = ops.reduceSumSquare(f, true, 1L);
    return new ExpertRows(
        f,
        byRow(ops, rows.slots(), chosen),
        ops.reshape(byRow(ops, rows.slots(), gates), -1, 1),
        rows.slots(),
        norm2,
        largest(ops, f, norm2));
  }

  /**
   * Which expert made which row: 1 where it did and the row counts, 0 elsewhere {@code [E, R]}.
   *
   * @param ids of the expert of each row {@code [R]}
   * @param counting 1 for rows that count, 0 for others {@code [R]}
   */
  static String made(Ops ops, int experts, String ids, String counting) {
    Tensor all =
        Tensor.of(
            List.of((long) experts, 1L), IntStream.range(0, experts).asLongStream().toArray());
    String isOwn = ops.equal(ops.reshape(ids, 1, -1), ops.constant("experts", all));
    return ops.mul(ops.cast(isOwn, ElementType.FLOAT), ops.reshape(counting, 1, -1));
  }

  /**
   * What there is of each slot {@code [slots]}, in the order of the rows.
   *
   * @param slots of each row; empty if there is a row for each slot, in their order
   */
  static String byRow(Ops ops, Optional<String> slots, String perSlot) {
    return slots.map(each -> ops.gather(perSlot, each)).orElse(perSlot);
  }

  /** Squares tell what is no number, and extremes what is infinite, without a copy of the rows. */
  private static String largest(Ops ops, String f, String norm2) {
    String most = ops.max(ops.reduceMax(f, true, 1L), ops.neg(ops.reduceMin(f, true, 1L)));
    String isNumber = ops.greater(norm2, ops.scalar(-1f));
    return ops.where(isNumber, most, ops.scalar(Float.POSITIVE_INFINITY));
  }

  /** Absolute values, infinite for what is no number: a maximum may pass over that. */
  static String magnitude(Ops ops, String values) {
    String infinite = ops.scalar(Float.POSITIVE_INFINITY);
    String absolute = ops.abs(values);
    return ops.where(ops.greater(infinite, absolute), absolute, infinite);
  }

  /**
   * What there is of each row, in the order of the slots; 0 for slots without a row.
   *
   * @param perRow {@code [R, width]}
   * @param chosen any value {@code [slots]}
   */
  String bySlot(Ops ops, String perRow, int width, String chosen) {
    if (slots.isEmpty()) {
      return perRow;
    }
    String shape = ops.concat(0, List.of(ops.shape(chosen), ops.vector(width)));
    return ops.scatterRows(ops.zeros(shape), slots.get(), perRow);
  }

  /** What there is of each slot {@code [slots]}, in the order of the rows. */
  String byRow(Ops ops, String perSlot) {
    return byRow(ops, slots, perSlot);
  }
}
