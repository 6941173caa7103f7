package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.run.Session;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * How far rounding moves the outputs of a model. Blocks that are right up to rounding can make more
 * of a difference end to end than in each of them: where activations are quantised behind them,
 * say, so that a last bit becomes a step of 8 bits.
 *
 * <p>The oracle is run beside itself with every block's routed output moved by as much as the block
 * was found to be off, up or down at random:
 *
 * <pre>{@code
 * routed' = routed + error * ReduceMax (Abs (routed)) * signs [hidden]
 * }</pre>
 */
final class RoundingEffect {
  /** Whoever is off by as much does not move outputs by exactly as much. */
  private static final double MARGIN = 2;

  /** Outputs that may be further apart are not compared by that. */
  private static final double MOST = 0.1;

  private final ProofRuns bench;
  private final Oracle.Substituted oracle;
  private final List<MoeBlock> blocks;

  RoundingEffect(ProofRuns bench, Oracle.Substituted oracle, List<MoeBlock> blocks) {
    this.bench = bench;
    this.oracle = oracle;
    this.blocks = blocks;
  }

  /**
   * Bounds that leave room for it; no narrower than these.
   *
   * @param blockErrors by block: largest relative error of its routed output
   * @param outputs of the model
   * @param values the outputs, and each block's choice and scores
   */
  Verdict.Bounds widened(
      Verdict.Bounds bounds,
      Map<String, Double> blockErrors,
      List<String> outputs,
      Set<String> values,
      List<Map<String, Tensor>> feeds) {
    EndToEnd comparison = new EndToEnd(blocks, outputs);
    Model moved = moved(blockErrors);
    try (Session plain = bench.open(ProofRuns.withOutputs(oracle.model(), values), bench.folder());
        Session other = bench.open(ProofRuns.withOutputs(moved, values), bench.folder())) {
      for (Map<String, Tensor> feed : feeds) {
        comparison.add(plain.run(feed, values), other.run(feed, values));
      }
    }
    return new Verdict.Bounds(
        bounds.blocks(),
        Math.max(bounds.endToEnd(), Math.min(MOST, inOneDigit(MARGIN * comparison.worst()))),
        Math.max(bounds.gap(), inOneDigit(MARGIN * 2 * comparison.shift()))); // of two scores
  }

  private Model moved(Map<String, Double> blockErrors) {
    GraphEdit edit = new GraphEdit(oracle.model());
    for (int i = 0; i < blocks.size(); i++) {
      MoeBlock block = blocks.get(i);
      Ops ops = new Ops(edit, "mone.rounding." + i);
      String routed = oracle.outputs().get(block.name());
      ElementType type = edit.type(routed).orElseThrow();
      String single = ops.cast(routed, ElementType.FLOAT);
      String largest = ops.reduceMax(ops.abs(single), false);
      String signs = ops.constant("signs", signs(block.hidden(), blockErrors.get(block.name()), i));
      edit.redirect(routed, ops.cast(ops.add(single, ops.mul(signs, largest)), type));
    }
    return edit.apply();
  }

  private static Tensor signs(int hidden, double error, long seed) {
    Random random = new Random(seed);
    float[] signs = new float[hidden];
    for (int i = 0; i < hidden; i++) {
      signs[i] = (float) (random.nextBoolean() ? error : -error);
    }
    return Tensor.of(List.of((long) hidden), signs);
  }

  /** Rounded up, as it is printed. */
  private static double inOneDigit(double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      return 0;
    }
    double unit = Math.pow(10, Math.floor(Math.log10(value)));
    return Math.ceil(value / unit) * unit;
  }
}
