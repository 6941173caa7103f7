package io.moneonnx.observe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import io.moneonnx.observe.NeuronMoments.Slots;
import io.moneonnx.observe.Taps.Tap;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The statistics of one block as a subgraph on the rows of its experts: the same for every form.
 *
 * <p>With {@code O [E, R]} the 0/1 matrix of which expert made which row, sums of what is known of
 * each row are products with {@code O}; what has {@code hidden} columns is summed up by {@link
 * Moments}. Second moments are taken in two passes, around the batch's own mean, in float32 at
 * least: a difference of sums would cancel for just the steady experts that are looked for. How far
 * that mean is off for its rounding is told as well, so that the host can put it right in double
 * precision.
 *
 * <p>For a block that hides its rows, the model reads what those come to that stand for them; the
 * block's own computation only runs where it is to be compared with them, and is read there.
 */
final class RowStatistics {
  private final Ops ops;
  private final MoeBlock block;
  private final Moments moments;
  private final Detail detail;

  RowStatistics(Ops ops, MoeBlock block, Moments moments, Detail detail) {
    this.ops = ops;
    this.block = block;
    this.moments = moments;
    this.detail = detail;
  }

  /**
   * What was added.
   *
   * @param taps the value of each
   * @param neurons the value of {@link NeuronMoments}, if that was asked for and can be had
   */
  record Added(Map<Tap, String> taps, Optional<String> neurons) {}

  /**
   * Adds the subgraph.
   *
   * @param valid value {@code [tokens]} or {@code [1]}, float32: 1 for tokens that count, 0 for
   *     padding
   * @param check bool of one element: whether the output is to be compared with what its rows come
   *     to
   */
  Added add(Rows rows, String valid, String check) {
    String indices = block.routing().indices(ops);
    String chosen = ops.reshape(indices, -1);
    String routingWeights = block.routingWeights().perChoice(ops, block.routing(), indices);
    String gates = ops.cast(ops.reshape(routingWeights, -1), ElementType.FLOAT);
    String tokens = ops.size(indices, 0);
    String each = ops.reshape(ops.expand(valid, tokens), -1, 1);
    String unhidden = block.routing().choice().whereKept(ops, each, ElementType.FLOAT);
    ExpertRows made = ExpertRows.of(ops, block, block.chosen(ops, rows), chosen, gates);

    RebuiltOutput rebuilt = new RebuiltOutput(ops, block, made);
    boolean isHidden = rows.isBesideBlock();
    String routed = isHidden ? ops.when(check, this::own, rebuilt::inOrder) : flat(block.output());
    String squares = ops.reduceSumSquare(routed, true, 1L); // [T, 1]
    Map<Tap, String> taps = new EnumMap<>(Tap.class);
    String perToken =
        new NonFiniteTokens(ops, block.topK(), made, chosen, squares).add(taps, unhidden);
    String perSlot = ops.reshape(ops.expand(perToken, ops.shape(indices)), -1);
    addPerExpert(taps, made, made.byRow(ops, perSlot));
    if (made.slots().isPresent()) {
      addOrder(taps, made.ids());
    }
    addPerBlock(taps, indices, squares, perToken);
    taps.put(
        Tap.REBUILT,
        ops.when(
            check,
            () -> rebuilt.difference(routed, decided(perToken)),
            () -> ops.constant("unasked", Tensor.of(List.of(2L), 0f, 0f))));
    if (isHidden) {
      standIn(routed);
    }
    if (detail != Detail.MOMENTS) {
      return new Added(taps, Optional.empty());
    }
    NeuronMoments neurons = new NeuronMoments(ops, block);
    Optional<NeuronMoments.Added> added =
        neurons.add(new Slots(chosen, gates, perSlot), made, check);
    if (added.isPresent()) {
      taps.put(Tap.STREAM, neurons.energy(perToken));
      added.get().difference().ifPresent(value -> taps.put(Tap.RECOMPUTED, value));
    }
    return new Added(taps, added.map(NeuronMoments.Added::sums));
  }

  private String decided(String perToken) {
    Routing routing = block.routing();
    return routing.choice().whereDecided(ops, perToken, routing.topK(), routing.experts());
  }

  private String flat(String output) {
    return ops.cast(ops.reshape(output, -1, block.hidden()), ElementType.FLOAT);
  }

  /** The block's own output, computed here. */
  private String own() {
    Node last = ops.edit().graph().producer(block.output()).orElseThrow();
    return flat(ops.apply(last, last.inputs(), Map.of()));
  }

  /** Lets the model read this in place of the block's output. */
  private void standIn(String routed) {
    OptionalInt rank = ops.edit().rank(block.output());
    boolean isFlat = rank.equals(OptionalInt.of(2));
    String typed = ops.cast(routed, ops.edit().type(block.output()).orElseThrow());
    if (isFlat) {
      ops.edit().redirect(block.output(), typed);
    } else if (rank.isPresent() && rank.equals(ops.edit().rank(block.routing().input()))) {
      ops.edit().redirect(block.output(), ops.reshapeLike(typed, block.routing().input()));
    }
  }

  /** Rows of separate experts lie in the order of their ids: no region is taken for another's. */
  private void addOrder(Map<Tap, String> taps, String ids) {
    String next = ops.concat(0, List.of(ids, ops.vector(block.experts())));
    String step = ops.sub(next, ops.concat(0, List.of(ops.vector(0), ids)));
    taps.put(Tap.SMALLEST_STEP, ops.reduceMin(ops.cast(step, ElementType.FLOAT), false));
  }

  private String column(String vector) {
    return ops.reshape(vector, -1, 1);
  }

  private void addPerExpert(Map<Tap, String> taps, ExpertRows rows, String valid) {
    String ids = rows.ids();
    String counts = ops.greater(column(valid), ops.scalar(0f));
    String gColumn = ops.where(counts, rows.gates(), ops.scalar(0f));
    String made = ExpertRows.made(ops, block.experts(), ids, valid); // [E, R]

    String norm2 = ops.where(counts, rows.norm2(), ops.scalar(0f)); // [R, 1]
    String norm = ops.sqrt(norm2);
    String squareColumn = ops.mul(gColumn, gColumn);
    Map<Statistic, String> perRow =
        Map.of(
            Statistic.G1, gColumn,
            Statistic.G2, squareColumn,
            Statistic.A1, norm,
            Statistic.A2, norm2,
            Statistic.B1, ops.mul(gColumn, norm),
            Statistic.B2, ops.mul(squareColumn, norm2));
    String columns = ops.concat(1, Tap.SUMS.statistics().stream().map(perRow::get).toList());
    String sums = ops.transpose(ops.matMul(made, columns), 1L, 0L); // [6, E]
    String count = ops.reduceSum(made, true, 1); // [E, 1]
    taps.put(Tap.ROWS, ops.reshape(count, -1));
    taps.put(Tap.SUMS, sums);

    taps.put(
        Tap.MOMENTS,
        moments.of(
            ops,
            new Moments.Counted(
                block.experts(), rows.f(), ids, column(valid), made, count, squareColumn)));

    String largest = ops.reshape(rows.largest(), 1, -1); // [1, R]
    String own = ops.where(ops.greater(made, ops.scalar(0f)), largest, ops.scalar(0f)); // [E, R]
    taps.put(Tap.PEAK, ops.reduceMax(own, false, 1L));
  }

  private void addPerBlock(Map<Tap, String> taps, String indices, String squares, String perToken) {
    String tokens = ops.shape(perToken); // [T, 1]
    String tokensByExperts =
        ops.concat(0, List.of(ops.gather(tokens, ops.vector(0)), ops.vector(block.experts())));
    String chosen =
        ops.scatterElements(
            ops.zeros(tokensByExperts),
            indices,
            ops.expand(perToken, ops.shape(indices)),
            1); // [T, E]
    taps.put(Tap.CHOSEN_TOGETHER, ops.matMul(ops.transpose(chosen, 1L, 0L), chosen));
    taps.put(Tap.TOKENS, ops.reduceSum(perToken, false));
    String counted = ops.where(ops.greater(perToken, ops.scalar(0f)), squares, ops.scalar(0f));
    taps.put(Tap.Y2, ops.reduceSum(counted, false));
  }
}
