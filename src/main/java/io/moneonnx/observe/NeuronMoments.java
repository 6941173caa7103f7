package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.ResidualStream;
import io.moneonnx.moe.Rows;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What narrowing the experts of a block needs to know: the second moments of what their last
 * projections read, weighted by squared routing weights, and the energy of the residual stream.
 * They are summed up one expert after another, so that memory does not grow with the rows.
 *
 * <pre>{@code
 * x = a of the expert's rows * g          [n, I]
 * out[e] = Concat (g x, x^T x)            [I + 1, I]
 * }</pre>
 */
final class NeuronMoments {
  private final Ops ops;
  private final MoeBlock block;

  NeuronMoments(Ops ops, MoeBlock block) {
    this.ops = ops;
    this.block = block;
  }

  /**
   * What each slot is: all values have an element for each.
   *
   * @param chosen ids of the chosen experts
   * @param gates their routing weights, float32
   * @param counting 1 for slots that count, 0 for others, float32
   */
  record Slots(String chosen, String gates, String counting) {}

  /** The value {@code [E, I + 1, I]}; empty where the graph does not show the activations. */
  Optional<String> of(Slots slots) {
    return block.activations(ops).map(rows -> of(rows, slots));
  }

  private String of(Rows.Chosen rows, Slots slots) {
    String a = ops.cast(ops.reshape(rows.rows(), -1, block.inner()), ElementType.FLOAT);
    String gates = ops.reshape(byRow(rows, slots.gates()), -1, 1); // [R, 1]
    String made =
        ExpertRows.made(
            ops, block.experts(), byRow(rows, slots.chosen()), byRow(rows, slots.counting()));
    RowsByExpert experts =
        RowsByExpert.of(ops, block.experts(), made, ops.reduceSum(made, true, 1));
    return experts.each(
        ops,
        (from, to) -> {
          String own = ops.slice(experts.row(), 0, from, to);
          String weights = ops.gather(gates, own);
          String x = ops.mul(ops.gather(a, own), weights);
          String turned = ops.transpose(x, 1L, 0L);
          return ops.concat(
              0, List.of(ops.matMul(ops.transpose(weights, 1L, 0L), x), ops.matMul(turned, x)));
        });
  }

  private String byRow(Rows.Chosen rows, String perSlot) {
    return ExpertRows.byRow(ops, rows.slots(), perSlot);
  }

  /**
   * The energy of the residual stream summed over the tokens that count: 0 where there is none.
   *
   * @param counting 1 for tokens that count, 0 for others, float32 {@code [T, 1]}
   */
  String energy(String counting) {
    return ResidualStream.after(ops.edit().graph(), block.claim())
        .map(stream -> energy(stream.value(ops), counting))
        .orElseGet(() -> ops.constant("noStream", Tensor.scalar(0f)));
  }

  private String energy(String stream, String counting) {
    String shape = ops.concat(0, List.of(ops.size(counting, 0), ops.vector(-1)));
    String perToken = ops.cast(ops.reshape(stream, shape), ElementType.FLOAT);
    String squares = ops.reduceSumSquare(perToken, true, 1L); // [T, 1]
    String counts = ops.greater(counting, ops.scalar(0f));
    return ops.reduceSum(ops.where(counts, squares, ops.scalar(0f)), false);
  }

  /**
   * The statistics that one run's value comes to.
   *
   * @param found {@code [E, I + 1, I]}
   */
  static Map<Statistic, Values> statistics(BlockHeader block, FloatBuffer found) {
    int inner = block.inner();
    double[] sums = new double[block.experts() * inner];
    double[] moments = new double[Math.toIntExact(Statistic.M.shape().elements(block))];
    int at = 0;
    for (int expert = 0; expert < block.experts(); expert++) {
      int from = expert * (inner + 1) * inner;
      for (int i = 0; i < inner; i++) {
        sums[expert * inner + i] = found.get(from + i);
        for (int j = 0; j <= i; j++) {
          moments[at++] = found.get(from + (i + 1) * inner + j);
        }
      }
    }
    return Map.of(Statistic.S, Values.of(sums), Statistic.M, Values.of(moments));
  }
}
