package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Rows;
import io.moneonnx.observe.Taps.Statistic;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The statistics of one block as a subgraph on the rows of its experts: the same for every form.
 *
 * <p>With {@code O [E, R]} the 0/1 matrix of which expert made which row, every sum over an
 * expert's rows is a product with {@code O}. Second moments are taken in two passes, around the
 * batch's own mean, in float32 at least: a difference of sums would cancel for just the steady
 * experts that are looked for. How far that mean is off for its rounding is told as well, so that
 * the host can put it right in double precision.
 */
final class RowStatistics {
  private final Ops ops;
  private final MoeBlock block;

  RowStatistics(Ops ops, MoeBlock block) {
    this.ops = ops;
    this.block = block;
  }

  /**
   * Adds the subgraph.
   *
   * @param valid value {@code [tokens]} or {@code [1]}, float32: 1 for tokens that count, 0 for
   *     padding
   * @return the value of each statistic
   */
  Map<Statistic, String> add(Rows rows, String valid) {
    String indices = block.routing().indices(ops);
    String chosen = ops.reshape(indices, -1);
    String coefficients = block.coefficients().perChoice(ops, block.routing(), indices);
    String gates = ops.cast(ops.reshape(coefficients, -1), ElementType.FLOAT);
    String routed = ops.cast(ops.reshape(block.output(), -1, block.hidden()), ElementType.FLOAT);
    String tokens = ops.size(indices, 0);
    String each = ops.reshape(ops.expand(valid, tokens), -1, 1);
    String unhidden = block.routing().choice().whereKept(ops, each, ElementType.FLOAT);
    ExpertRows made = ExpertRows.of(ops, block, chosen(rows, indices), chosen, gates);

    Map<Statistic, String> taps = new EnumMap<>(Statistic.class);
    String perToken =
        new SpoiledTokens(ops, block.topK(), made, chosen, routed).add(taps, unhidden);
    String perSlot = ops.reshape(ops.expand(perToken, ops.shape(indices)), -1);
    addPerExpert(taps, made, made.byRow(ops, perSlot));
    if (rows instanceof Rows.Listed) {
      addOrder(taps, made.ids());
    }
    addPerBlock(taps, indices, routed, perToken);
    String weighted = ops.mul(made.f(), made.gates());
    addRebuilt(taps, made.bySlot(ops, weighted, block.hidden(), chosen), routed, perToken);
    return taps;
  }

  private Rows chosen(Rows rows, String indices) {
    if (rows instanceof Rows.Dense dense) {
      return dense.chosen(ops, indices, block.routing());
    }
    return rows instanceof Rows.Stacked stacked
        ? stacked.chosen(ops, indices, block.routing())
        : rows;
  }

  /** Rows of separate experts lie in the order of their ids: no region is taken for another's. */
  private void addOrder(Map<Statistic, String> taps, String ids) {
    String next = ops.concat(0, List.of(ids, ops.vector(block.experts())));
    String step = ops.sub(next, ops.concat(0, List.of(ops.vector(0), ids)));
    taps.put(Statistic.SMALLEST_STEP, ops.reduceMin(ops.cast(step, ElementType.FLOAT)));
  }

  private String column(String vector) {
    return ops.reshape(vector, -1, 1);
  }

  private void addPerExpert(Map<Statistic, String> taps, ExpertRows rows, String valid) {
    String ids = rows.ids();
    String experts =
        ops.constant(
            "experts",
            Tensor.of(
                List.of((long) block.experts(), 1L),
                IntStream.range(0, block.experts()).asLongStream().toArray()));
    String counts = ops.greater(column(valid), ops.scalar(0f));
    String f = ops.where(counts, rows.f(), ops.scalar(0f)); // what does not count may be NaN
    String gColumn = ops.where(counts, rows.gates(), ops.scalar(0f));
    String made =
        ops.mul(
            ops.cast(ops.equal(ops.reshape(ids, 1, -1), experts), ElementType.FLOAT),
            ops.reshape(valid, 1, -1)); // [E, R]

    String norm2 = ops.where(counts, rows.norm2(), ops.scalar(0f)); // [R, 1]
    String norm = ops.sqrt(norm2);
    String squareColumn = ops.mul(gColumn, gColumn);
    String perRow =
        ops.concat(
            1,
            List.of(
                gColumn,
                squareColumn,
                norm,
                norm2,
                ops.mul(gColumn, norm),
                ops.mul(squareColumn, norm2)));
    String sums = ops.matMul(made, perRow); // [E, 6]
    String count = ops.reduceSum(made, true, 1); // [E, 1]
    taps.put(Statistic.ROWS, ops.reshape(count, -1));
    taps.put(Statistic.SUMS, sums);

    String mean = ops.div(ops.matMul(made, f), ops.max(count, ops.scalar(1f)));
    String off = ops.sub(f, ops.gather(mean, ids));
    taps.put(Statistic.MEAN, mean);
    taps.put(Statistic.MEAN_OFF, ops.matMul(made, off));
    taps.put(Statistic.M2, ops.matMul(made, ops.mul(off, off)));

    String weighted = ops.mul(made, ops.reshape(squareColumn, 1, -1)); // [E, R], g^2
    String total = ops.reduceSum(weighted, true, 1);
    String divisor = ops.where(ops.greater(total, ops.scalar(0f)), total, ops.scalar(1f));
    String gmean = ops.div(ops.matMul(weighted, f), divisor);
    String gOff = ops.sub(f, ops.gather(gmean, ids));
    taps.put(Statistic.GMEAN, gmean);
    taps.put(Statistic.GMEAN_OFF, ops.matMul(weighted, gOff));
    taps.put(Statistic.R2, ops.matMul(weighted, ops.reduceSum(ops.mul(gOff, gOff), true, 1)));

    String largest = ops.reshape(rows.largest(), 1, -1); // [1, R]
    String own = ops.where(ops.greater(made, ops.scalar(0f)), largest, ops.scalar(0f)); // [E, R]
    taps.put(Statistic.PEAK, ops.reduceMax(own, false, 1L));
  }

  private void addPerBlock(
      Map<Statistic, String> taps, String indices, String routed, String perToken) {
    String tokens = ops.shape(perToken); // [T, 1]
    String tokensByExperts =
        ops.concat(0, List.of(ops.gather(tokens, ops.vector(0)), ops.vector(block.experts())));
    String chosen =
        ops.scatterElements(
            ops.zeros(tokensByExperts),
            indices,
            ops.expand(perToken, ops.shape(indices)),
            1); // [T, E]
    taps.put(Statistic.CHOSEN_TOGETHER, ops.matMul(ops.transpose(chosen, 1L, 0L), chosen));
    taps.put(Statistic.TOKENS, ops.reduceSum(perToken, false));
    String counted = ops.where(ops.greater(perToken, ops.scalar(0f)), routed, ops.scalar(0f));
    taps.put(Statistic.Y2, ops.reduceSum(ops.mul(counted, counted), false));
    taps.put(Statistic.LARGEST, ops.reduceMax(ops.abs(counted), false));
  }

  /** The routed output again, as the sum of coefficients times rows: the proof of the block. */
  private void addRebuilt(
      Map<Statistic, String> taps, String bySlot, String routed, String perToken) {
    String rebuilt =
        ops.reduceSum(ops.reshape(bySlot, -1, block.topK(), block.hidden()), false, 1); // [T, H]
    String off = ExpertRows.magnitude(ops, ops.sub(rebuilt, routed));
    String counted = ops.where(ops.greater(perToken, ops.scalar(0f)), off, ops.scalar(0f));
    taps.put(Statistic.REBUILT_OFF_BY, ops.reduceMax(counted, false));
  }
}
