package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.observe.Taps.Tap;
import java.util.List;
import java.util.Map;

/**
 * Finds the tokens of which something is not finite: a row of an expert that they chose, its
 * routing weight or its square, or the block's output. A row at the end that always is not stands
 * for "none", and lets a block have no tokens at all.
 *
 * @param chosen expert of each slot {@code [slots]}
 * @param squares {@code ||y||^2} of the block's output for each token {@code [tokens, 1]}
 */
record NonFiniteTokens(Ops ops, int topK, ExpertRows rows, String chosen, String squares) {
  private static final int KINDS = NotFinite.What.values().length;

  /**
   * Adds the taps that tell of them.
   *
   * @param perToken {@code [tokens, 1]}: 1 for tokens that count, 0 for others
   * @return {@code perToken} with 0 for those tokens
   */
  String add(Map<Tap, String> taps, String perToken) {
    String kinds = kinds(); // [slots, 3]
    String worst = ops.reduceMax(kinds, true, 1L);
    String counting = ops.where(ops.greater(perSlot(perToken), zero()), worst, zero());
    String bad = ops.reshape(isInfinite(counting), -1, topK);
    String spoiled = ops.reduceMax(bad, true, 1L); // [tokens, 1]
    taps.put(Tap.SPOILED, ops.reduceSum(spoiled, false));
    taps.put(Tap.FIRST_SPOILED, first(kinds, counting, perToken));
    return ops.mul(perToken, ops.sub(ops.scalar(1f), spoiled));
  }

  private String kinds() {
    String square = ops.mul(rows.gates(), rows.gates());
    String sizes =
        ops.add(ops.add(ops.mul(square, rows.norm2()), rows.norm2()), ops.abs(rows.gates()));
    String ofRows = ops.concat(1, List.of(rows.largest(), ExpertRows.magnitude(ops, sizes)));
    return ops.concat(
        1,
        List.of(
            rows.bySlot(ops, ofRows, KINDS - 1, chosen),
            perSlot(ExpertRows.magnitude(ops, squares))));
  }

  /** From {@code [tokens, 1]} to {@code [slots, 1]}. */
  private String perSlot(String perToken) {
    return ops.reshape(ops.expand(perToken, ops.vector(1, topK)), -1, 1);
  }

  private String zero() {
    return ops.scalar(0f);
  }

  private String isInfinite(String values) {
    return ops.cast(ops.greater(values, ops.scalar(Float.MAX_VALUE)), ElementType.FLOAT);
  }

  /** Slot, expert, number of tokens, and the three magnitudes there. */
  private String first(String kinds, String counting, String perToken) {
    String none = ops.constant("none", Tensor.of(List.of(1L, 1L), Float.POSITIVE_INFINITY));
    String candidates = ops.reshape(ops.concat(0, List.of(counting, none)), -1);
    String number = ops.range(ops.shape(candidates));
    String infinite = ops.greater(candidates, ops.scalar(Float.MAX_VALUE));
    String at =
        ops.reshape(
            ops.reduceMin(ops.where(infinite, number, ops.vector(Long.MAX_VALUE)), false), -1);
    String no = ops.constant("no", Tensor.of(List.of(1L, (long) KINDS), new float[KINDS]));
    String expert = ops.gather(ops.concat(0, List.of(chosen, ops.vector(0))), at);
    String tokens = ops.size(perToken, 0);
    return ops.concat(
        0,
        List.of(
            ops.cast(ops.concat(0, List.of(at, expert, tokens)), ElementType.FLOAT),
            ops.reshape(ops.gather(ops.concat(0, List.of(kinds, no)), at), -1)));
  }
}
