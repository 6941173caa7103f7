package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import java.util.List;

/**
 * The rows of a block that count, expert by expert.
 *
 * @param row which rows {@code [N]}
 * @param expert of each of them {@code [N]}
 * @param bounds where each expert's begin, and where the last one's end {@code [E + 1]}
 * @param experts how many experts there are
 */
record RowsByExpert(String row, String expert, String bounds, int experts) {
  /**
   * Sorts rows.
   *
   * @param made 1 where an expert made a row that counts, 0 elsewhere {@code [E, R]}
   * @param count of rows that count {@code [E, 1]}
   */
  static RowsByExpert of(Ops ops, int experts, String made, String count) {
    String hits = ops.hits(made);
    String ends = ops.cumSum(ops.cast(ops.reshape(count, -1), ElementType.INT64));
    return new RowsByExpert(
        ops.reshape(ops.gather(hits, ops.vector(1)), -1),
        ops.reshape(ops.gather(hits, ops.vector(0)), -1),
        ops.concat(0, List.of(ops.vector(0), ends)),
        experts);
  }

  /** What is computed of the rows of one expert. */
  interface Computation {
    /**
     * Computes something of rows.
     *
     * @param expert the id of their expert, a vector of one element
     * @param from the first of them in {@link RowsByExpert#row}, a vector of one element
     * @param to the first behind them
     */
    String of(String expert, String from, String to);
  }

  /** What is computed of each expert, stacked: {@code [E, ...]}. */
  String each(Ops ops, Computation computation) {
    return ops.rounds(
        experts,
        round ->
            computation.of(
                round,
                ops.gather(bounds, round),
                ops.gather(bounds, ops.add(round, ops.vector(1)))));
  }
}
