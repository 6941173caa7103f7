package io.moneonnx.observe;

import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an observed model has for one block: an output with all that is observed in one vector,
 * float32.
 *
 * @param header what the block is
 * @param check the input that says whether the block's output is to be compared with the one that
 *     its rows come to: bool {@code [1]}
 * @param standsIn whether the model reads that sum in place of the block's output in runs in which
 *     they are not compared
 * @param output name of the graph output
 * @param neurons name of the graph output {@code [E, I + 1, I]} of {@link NeuronMoments}, if there
 *     is one
 * @param sizes how many elements each tap has there, in their order
 */
record Taps(
    BlockHeader header,
    String check,
    boolean standsIn,
    String output,
    Optional<String> neurons,
    Map<Tap, Integer> sizes) {
  /**
   * What one run of the observed model says of one block: statistics as they are in the table, one
   * after the other, or what they are computed or proved from; sizes in {@code []}.
   */
  enum Tap {
    /** Rows counted at the experts. */
    ROWS,
    /** Sums over the rows of each expert. */
    SUMS,
    /**
     * Of each expert {@code m}, its mean as float32 rounds it, {@code sum (f - m)}, {@code sum g^2
     * (f - m)}, {@code sum (f - m)^2} and {@code sum g^2 (f - m)^2} {@code [E, 5, H]}.
     */
    MOMENTS,
    PEAK,
    /**
     * Least step from the id of one row to the next, for forms with separate experts {@code []}.
     */
    SMALLEST_STEP,
    /** The diagonal counts the choices. */
    CHOSEN_TOGETHER,
    TOKENS,
    Y2,
    STREAM,
    /**
     * Largest difference between the block's output and the one rebuilt from rows, and the largest
     * absolute value of that output; zeros where that was not asked for {@code [2]}.
     */
    REBUILT,
    /**
     * The same of the experts' outputs and those computed from the activations of {@link
     * NeuronMoments}, for blocks that do not show theirs {@code [2]}.
     */
    RECOMPUTED,
    /** Tokens that were left out, since something of theirs is not finite {@code []}. */
    SPOILED,
    /**
     * The first choice of such a token: slot, expert, how many tokens there are, and the magnitudes
     * that {@link NotFinite.What} is about, infinite where something is not finite {@code [6]}.
     */
    FIRST_SPOILED;

    /** The statistics that it holds as they are, one after the other. */
    List<Statistic> statistics() {
      return switch (this) {
        case ROWS -> List.of(Statistic.N);
        case SUMS ->
            List.of(
                Statistic.G1, Statistic.G2, Statistic.A1, Statistic.A2, Statistic.B1, Statistic.B2);
        case PEAK -> List.of(Statistic.PEAK);
        case CHOSEN_TOGETHER -> List.of(Statistic.C);
        case TOKENS -> List.of(Statistic.T);
        case Y2 -> List.of(Statistic.Y2);
        case STREAM -> List.of(Statistic.H2);
        default -> List.of();
      };
    }

    private int size(BlockHeader block) {
      return switch (this) {
        case MOMENTS -> 5 * block.experts() * block.hidden();
        case REBUILT, RECOMPUTED -> 2;
        case FIRST_SPOILED -> 6;
        case SMALLEST_STEP, SPOILED -> 1;
        default ->
            (int) statistics().stream().mapToLong(each -> each.shape().elements(block)).sum();
      };
    }
  }

  /** The name of the block. */
  String block() {
    return header.name();
  }

  /** Joins the taps of a block. */
  static Taps of(
      Ops ops, MoeBlock block, String check, boolean standsIn, RowStatistics.Added added) {
    Map<Tap, String> taps = added.taps();
    BlockHeader header = BlockHeaders.of(block);
    Map<Tap, Integer> sizes = new EnumMap<>(Tap.class);
    taps.keySet().forEach(each -> sizes.put(each, each.size(header)));
    List<String> parts =
        sizes.keySet().stream().map(each -> ops.reshape(taps.get(each), -1)).toList();
    return new Taps(
        header, check, standsIn, ops.concat(0, parts), added.neurons(), new LinkedHashMap<>(sizes));
  }

  /** The names of the graph outputs. */
  List<String> outputs() {
    return neurons.map(more -> List.of(output, more)).orElse(List.of(output));
  }

  /** How much is observed of the block. */
  Detail detail() {
    return neurons.isPresent() ? Detail.MOMENTS : Detail.FULL;
  }

  /** What each tap said in one run, out of what the output held. */
  Map<Tap, float[]> split(Tensor read) {
    float[] all = read.toFloats();
    Map<Tap, float[]> taps = new EnumMap<>(Tap.class);
    int from = 0;
    for (Map.Entry<Tap, Integer> each : sizes.entrySet()) {
      int to = from + each.getValue();
      taps.put(each.getKey(), Arrays.copyOfRange(all, from, to));
      from = to;
    }
    if (from != all.length) {
      throw new IllegalStateException(
          "block '%s': %d elements were read, expected %d".formatted(block(), all.length, from));
    }
    return taps;
  }
}
