package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Activations;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.ResidualStream;
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

  /**
   * What was added.
   *
   * @param sums the value {@code [E, I + 1, I]}
   * @param difference of activations that are computed beside the block: the largest one between
   *     the outputs that they come to and the experts' own, and the largest magnitude of those
   *     {@code [2]}; zeros where that was not asked for
   */
  record Added(String sums, Optional<String> difference) {}

  /**
   * Adds the sums; empty where activations are neither shown nor can be computed.
   *
   * @param outputs of the experts
   * @param check bool of one element: whether activations are to be compared with the outputs
   */
  Optional<Added> add(Slots slots, ExpertRows outputs, String check) {
    return block.activations(ops).map(activations -> add(activations, slots, outputs, check));
  }

  private Added add(Activations activations, Slots slots, ExpertRows outputs, String check) {
    String made =
        ExpertRows.made(
            ops,
            block.experts(),
            byRow(activations, slots.chosen()),
            byRow(activations, slots.counting()));
    RowsByExpert experts =
        RowsByExpert.of(ops, block.experts(), made, ops.reduceSum(made, true, 1));
    String gates = ops.reshape(byRow(activations, slots.gates()), -1, 1); // [R, 1]
    return new Added(
        sums(activations, experts, gates),
        activations instanceof Activations.Recomputed recomputed
            ? Optional.of(difference(recomputed, experts, outputs, check))
            : Optional.empty());
  }

  private String sums(Activations activations, RowsByExpert experts, String gates) {
    return experts.each(
        ops,
        (expert, from, to) -> {
          String own = ops.slice(experts.row(), 0, from, to);
          String weights = ops.gather(gates, own);
          String a = ops.cast(activations.of(ops, expert, own), ElementType.FLOAT);
          String x = ops.mul(a, weights);
          String turned = ops.transpose(x, 1L, 0L);
          return ops.concat(
              0, List.of(ops.matMul(ops.transpose(weights, 1L, 0L), x), ops.matMul(turned, x)));
        });
  }

  private String difference(
      Activations.Recomputed activations, RowsByExpert experts, ExpertRows outputs, String check) {
    return ops.when(
        check,
        () -> difference(activations, experts, outputs),
        () -> ops.constant("unasked", Tensor.of(List.of(2L), 0f, 0f)));
  }

  private String difference(
      Activations.Recomputed activations, RowsByExpert experts, ExpertRows outputs) {
    String none =
        ops.constant("none", Tensor.of(List.of(1L, 2L), 0f, 0f)); // of an expert without rows
    String each =
        experts.each(
            ops,
            (expert, from, to) -> {
              String own = ops.slice(experts.row(), 0, from, to);
              String f = ops.gather(outputs.f(), own);
              String computed = activations.outputs(ops, expert, activations.of(ops, expert, own));
              String off = ops.reduceMax(ExpertRows.magnitude(ops, ops.sub(computed, f)), true, 1L);
              String largest = ops.reduceMax(ops.abs(f), true, 1L);
              String ofRows = ops.concat(1, List.of(off, largest)); // [n, 2]
              return ops.reduceMax(ops.concat(0, List.of(none, ofRows)), false, 0L);
            }); // [E, 2]
    return ops.reduceMax(each, false, 0L);
  }

  private String byRow(Activations activations, String perSlot) {
    return ExpertRows.byRow(ops, activations.slots(), perSlot);
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
