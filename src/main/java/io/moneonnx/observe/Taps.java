package io.moneonnx.observe;

import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an observed model has for one block: an output with all its statistics in one vector,
 * float32.
 *
 * @param block name of the block
 * @param check the input that says whether the block's output is to be compared with the one that
 *     its rows come to: bool {@code [1]}
 * @param standsIn whether the model reads that sum in place of the block's output in runs in which
 *     they are not compared
 * @param output name of the graph output
 * @param sizes how many elements each statistic has there, in their order
 */
record Taps(
    String block, String check, boolean standsIn, String output, Map<Statistic, Integer> sizes) {
  /** What one run of the observed model says of one block; sizes in {@code []}. */
  enum Statistic {
    /** Rows counted at the experts {@code [E]}. */
    ROWS,
    /** Sums of {@code g, g^2, |f|, |f|^2, g|f|, g^2|f|^2} {@code [E, 6]}. */
    SUMS,
    /**
     * Of each expert {@code m}, its mean as float32 rounds it, {@code sum (f - m)}, {@code sum g^2
     * (f - m)}, {@code sum (f - m)^2} and {@code sum g^2 (f - m)^2} {@code [E, 5, H]}.
     */
    MOMENTS,
    /** {@code [E]}. */
    PEAK,
    /**
     * Least step from the id of one row to the next, for forms with separate experts {@code []}.
     */
    SMALLEST_STEP,
    /** Tokens that chose both of two experts {@code [E, E]}; the diagonal counts the choices. */
    CHOSEN_TOGETHER,
    /** {@code []}. */
    TOKENS,
    /** {@code []}. */
    Y2,
    /**
     * Largest difference between the block's output and the one rebuilt from rows, and the largest
     * absolute value of that output; zeros where that was not asked for {@code [2]}.
     */
    REBUILT,
    /** Tokens that were left out, since something of theirs is not finite {@code []}. */
    SPOILED,
    /**
     * The first choice of such a token: slot, expert, how many tokens there are, and the magnitudes
     * that {@link NotFinite.What} is about, infinite where something is not finite {@code [6]}.
     */
    FIRST_SPOILED;

    private int size(int experts, int hidden) {
      return switch (this) {
        case ROWS, PEAK -> experts;
        case SUMS -> 6 * experts;
        case MOMENTS -> 5 * experts * hidden;
        case CHOSEN_TOGETHER -> experts * experts;
        case REBUILT -> 2;
        case FIRST_SPOILED -> 6;
        case SMALLEST_STEP, TOKENS, Y2, SPOILED -> 1;
      };
    }
  }

  /** Joins statistics of a block. */
  static Taps of(
      Ops ops, MoeBlock block, String check, boolean standsIn, Map<Statistic, String> statistics) {
    Map<Statistic, Integer> sizes = new EnumMap<>(Statistic.class);
    statistics
        .keySet()
        .forEach(each -> sizes.put(each, each.size(block.experts(), block.hidden())));
    List<String> parts =
        sizes.keySet().stream().map(each -> ops.reshape(statistics.get(each), -1)).toList();
    return new Taps(
        block.name(), check, standsIn, ops.concat(0, parts), new LinkedHashMap<>(sizes));
  }

  /** The statistics of one run, out of what the output held. */
  Map<Statistic, float[]> split(Tensor read) {
    float[] all = read.toFloats();
    Map<Statistic, float[]> statistics = new EnumMap<>(Statistic.class);
    int from = 0;
    for (Map.Entry<Statistic, Integer> each : sizes.entrySet()) {
      int to = from + each.getValue();
      statistics.put(each.getKey(), Arrays.copyOfRange(all, from, to));
      from = to;
    }
    if (from != all.length) {
      throw new IllegalStateException(
          "block '%s': %d statistics were read, wanted %d".formatted(block, all.length, from));
    }
    return statistics;
  }
}
