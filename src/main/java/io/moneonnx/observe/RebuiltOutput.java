package io.moneonnx.observe;

import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.List;

/**
 * A block's output as the sum of routing weights times rows: the proof that the block is what it
 * was taken for.
 *
 * @param rows of the experts that were chosen
 */
record RebuiltOutput(Ops ops, MoeBlock block, ExpertRows rows) {
  /** Elements of rows in the order of slots at a time: 8 MiB. */
  private static final int PIECE = 1 << 21;

  /** The output {@code [tokens, hidden]}, of rows that lie in the order of the slots. */
  String inOrder() {
    String gates = ops.reshape(rows.gates(), -1, 1, block.topK());
    String slots = ops.reshape(rows.f(), -1, block.topK(), block.hidden());
    return ops.reshape(ops.matMul(gates, slots), -1, block.hidden());
  }

  /**
   * The largest difference from another computation of the output, and the largest magnitude there,
   * {@code [2]}.
   *
   * @param routed {@code [tokens, hidden]}
   * @param perToken {@code [tokens, 1]}: 1 for tokens that count, 0 for others
   */
  String difference(String routed, String perToken) {
    return rows.slots().isPresent()
        ? inPieces(rows.slots().get(), routed, perToken)
        : difference(inOrder(), routed, perToken);
  }

  /** Rows in the order of slots are a copy: some tokens at a time. */
  private String inPieces(String slots, String routed, String perToken) {
    int tokens = Math.max(1, PIECE / (block.topK() * block.hidden()));
    String last = ops.add(ops.size(routed, 0), ops.vector(tokens - 1));
    String pieces = ops.div(last, ops.vector(tokens));
    String piece = ops.div(slots, ops.vector((long) tokens * block.topK())); // [R]
    String none = ops.constant("none", Tensor.of(List.of(1L, 2L), 0f, 0f));
    String differences =
        ops.rounds(
            pieces,
            round -> {
              String from = ops.mul(round, ops.vector(tokens));
              String to = ops.add(from, ops.vector(tokens));
              String own = ops.nonZero(ops.equal(piece, round)); // rows of these tokens
              String counting = ops.slice(perToken, 0, from, to);
              return difference(
                  sum(slots, own, from, ops.size(counting, 0)),
                  ops.slice(routed, 0, from, to),
                  counting);
            }); // [pieces, 2]
    return ops.reduceMax(ops.concat(0, List.of(none, differences)), false, 0L);
  }

  /**
   * The output of {@code count} tokens after {@code from}.
   *
   * @param own the rows of those tokens
   */
  private String sum(String slots, String own, String from, String count) {
    String topK = ops.vector(block.topK());
    String slot = ops.sub(ops.gather(slots, own), ops.mul(from, topK));
    String shape = ops.concat(0, List.of(ops.mul(count, topK), ops.vector(block.hidden())));
    String weighted = ops.mul(ops.gather(rows.f(), own), ops.gather(rows.gates(), own));
    String bySlot = ops.scatterRows(ops.zeros(shape), slot, weighted);
    return ops.reduceSum(ops.reshape(bySlot, -1, block.topK(), block.hidden()), false, 1);
  }

  private String difference(String rebuilt, String routed, String perToken) {
    String counts = ops.greater(perToken, ops.scalar(0f));
    String off = ExpertRows.magnitude(ops, ops.sub(rebuilt, routed));
    String largest = ops.abs(ops.where(counts, routed, ops.scalar(0f)));
    return ops.concat(
        0,
        List.of(
            ops.reshape(ops.reduceMax(ops.where(counts, off, ops.scalar(0f)), false), 1),
            ops.reshape(ops.reduceMax(largest, false), 1)));
  }
}
