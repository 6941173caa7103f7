package io.moneonnx.rewrite;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.List;
import java.util.OptionalInt;

/**
 * What the novices of a block add to its routed output: for each token the sum of {@code g_i N_i}
 * over its chosen experts that were replaced.
 *
 * <pre>{@code
 * columns = Gather (column of each expert [experts], indices)             [tokens, topK]
 * g       = ScatterElements <axis = 1> (zeros, columns, routing weights)  [tokens, replaced + 1]
 * term    = MatMul (g, novices)                                           [tokens, hidden]
 * }</pre>
 *
 * Where the graph has a matrix of routing weights, {@code g} is gathered from its columns. The last
 * novice is zero: kept experts share its column. The number of nodes does not depend on the number
 * of experts. Novices are stored in the type of the routed output.
 */
final class NoviceTerm {
  private final Ops ops;
  private final MoeBlock block;
  private final ElementType type;

  NoviceTerm(Ops ops, MoeBlock block) {
    this.ops = ops;
    this.block = block;
    this.type = ops.edit().type(block.output()).orElseThrow();
  }

  /**
   * The value {@code output} with the term added, in the shape of {@code output}.
   *
   * @param novices what {@link #novices} returned
   */
  String addTo(String output, Replacement replacement, String novices) {
    String g = block.routingWeights().perExpert(ops, block.routing(), replacement.experts(), type);
    String term = ops.matMul(g, novices);
    boolean isMatrix = ops.edit().rank(block.output()).equals(OptionalInt.of(2));
    return ops.add(output, isMatrix ? term : ops.reshapeLike(term, output));
  }

  /**
   * The constant {@code [replaced + 1, hidden]}: the novices in the order of their ids, and zero.
   *
   * @throws BadInputException if one of them is not finite in the type of the routed output
   */
  String novices(Replacement replacement) {
    int hidden = block.hidden();
    float[] rows = new float[(replacement.experts().size() + 1) * hidden];
    int row = 0;
    for (float[] novice : replacement.novices().values()) {
      System.arraycopy(novice, 0, rows, row++ * hidden, hidden);
    }
    Tensor novices = Tensor.of(type, List.of(row + 1L, (long) hidden), rows);
    requireFinite(novices.toFloats(), replacement.experts());
    return ops.constant("novices", novices);
  }

  /** Half precision ends at 65,504: a novice may be finite in the profile, and not in the model. */
  private void requireFinite(float[] stored, List<Integer> experts) {
    for (int i = 0; i < stored.length; i++) {
      if (!Float.isFinite(stored[i])) {
        throw new BadInputException(
            "block '%s': the novice of expert %d is %s in %s at position %d; expected a finite number"
                .formatted(
                    block.name(),
                    experts.get(i / block.hidden()),
                    stored[i],
                    type.text(),
                    i % block.hidden()));
      }
    }
  }
}
