package io.moneonnx.rewrite;

import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.Arrays;
import java.util.List;

/**
 * What the novices of a block add to its routed output: for each token the sum of {@code g_i N_i}
 * over its chosen experts that were replaced.
 *
 * <pre>{@code
 * columns = Gather (column of each expert [experts], indices)             [tokens, topK]
 * g       = ScatterElements <axis = 1> (zeros, columns, coefficients)     [tokens, replaced + 1]
 * term    = MatMul (g, novices)                                           [tokens, hidden]
 * }</pre>
 *
 * Kept experts share the last column, whose novice is zero. The number of nodes does not depend on
 * the number of experts.
 */
final class NoviceTerm {
  private final Ops ops;
  private final MoeBlock block;

  NoviceTerm(Ops ops, MoeBlock block) {
    this.ops = ops;
    this.block = block;
  }

  /**
   * Adds the term to the value {@code output}; {@code novices} is what {@link #novices} returned.
   */
  String addTo(String output, Replacement replacement, String novices) {
    String indices = ops.reshape(block.routing().indices(), -1, block.topK());
    String coefficients = ops.reshape(block.coefficients(), -1, block.topK());
    String columns = ops.gather(columns(replacement.experts()), indices);
    String tokens = ops.gather(ops.shape(indices), ops.vector(0));
    String zeros =
        ops.zeros(ops.concat(0, List.of(tokens, ops.vector(replacement.experts().size() + 1))));
    String g = ops.scatterElements(zeros, columns, coefficients, 1);
    return ops.add(output, ops.matMul(g, novices));
  }

  private String columns(List<Integer> replaced) {
    long[] columns = new long[block.experts()];
    Arrays.fill(columns, replaced.size());
    for (int column = 0; column < replaced.size(); column++) {
      columns[replaced.get(column)] = column;
    }
    return ops.vector(columns);
  }

  /**
   * The constant {@code [replaced + 1, hidden]}: the novices in the order of their ids, and zero.
   */
  String novices(Replacement replacement) {
    int hidden = block.hidden();
    float[] rows = new float[(replacement.experts().size() + 1) * hidden];
    int row = 0;
    for (float[] novice : replacement.novices().values()) {
      System.arraycopy(novice, 0, rows, row++ * hidden, hidden);
    }
    return ops.constant("novices", Tensor.of(List.of(row + 1L, (long) hidden), rows));
  }
}
