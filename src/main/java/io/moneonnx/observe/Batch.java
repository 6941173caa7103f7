package io.moneonnx.observe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.observe.Taps.Statistic;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import io.moneonnx.profile.Longs;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What one run of the observed model said of one block.
 *
 * @param number of the run, from 1, for messages
 */
record Batch(MoeBlock block, Taps taps, Map<String, Tensor> values, int number) {
  /** How far a block's output may be from the one rebuilt from its rows, in float32. */
  static final double TOLERANCE = 1e-4;

  private static final int SUMS = 6;

  String name() {
    return block.name();
  }

  private double[] get(Statistic statistic) {
    float[] found = values.get(taps.outputs().get(statistic)).toFloats();
    return IntStream.range(0, found.length).mapToDouble(i -> found[i]).toArray();
  }

  private double single(Statistic statistic) {
    return get(statistic)[0];
  }

  /**
   * Why the block is not what it was taken for; empty if its output is the sum of coefficients
   * times rows, and each choice has its row.
   *
   * @throws BadInputException if an expert's output is not finite
   */
  Optional<Refusal> disproof() {
    requireFinite();
    double[] rows = get(Statistic.ROWS);
    double[] together = get(Statistic.CHOSEN_TOGETHER);
    for (int expert = 0; expert < block.experts(); expert++) {
      double chosen = together[expert * (block.experts() + 1)];
      if (rows[expert] != chosen) {
        return refusal(
            "expert %d was chosen by %.0f tokens, but has %.0f rows"
                .formatted(expert, chosen, rows[expert]));
      }
    }
    if (taps.outputs().containsKey(Statistic.SMALLEST_STEP)
        && single(Statistic.SMALLEST_STEP) < 0) {
      return refusal("a region computes rows of another expert than the one it was found for");
    }
    double off = single(Statistic.REBUILT_OFF_BY);
    double largest = single(Statistic.LARGEST);
    return off <= TOLERANCE * largest
        ? Optional.empty()
        : refusal(
            "rebuilt from its experts' rows, the output is off by %.3g of %.3g; wanted %.0e relative"
                .formatted(off, largest, TOLERANCE));
  }

  private Optional<Refusal> refusal(String reason) {
    return Optional.of(new Refusal(name(), reason));
  }

  private void requireFinite() {
    requireFinite(Statistic.M2, block.hidden());
    requireFinite(Statistic.SUMS, SUMS);
  }

  private void requireFinite(Statistic statistic, int width) {
    double[] found = get(statistic);
    for (int i = 0; i < found.length; i++) {
      if (!Double.isFinite(found[i])) {
        throw new BadInputException(
            "block '%s': the output of expert %d is not finite in run %d of the calibration data"
                .formatted(name(), i / width, number));
      }
    }
  }

  BlockStatistics statistics() {
    double[] sums = get(Statistic.SUMS);
    return new BlockStatistics(
        new BlockHeader(name(), block.form(), block.experts(), block.topK(), block.hidden()),
        Longs.of(rounded(Statistic.ROWS)),
        sum(sums, 0),
        sum(sums, 1),
        sum(sums, 2),
        sum(sums, 3),
        sum(sums, 4),
        sum(sums, 5),
        Doubles.of(get(Statistic.MEAN)),
        Doubles.of(get(Statistic.M2)),
        Doubles.of(get(Statistic.GMEAN)),
        Doubles.of(get(Statistic.R2)),
        Doubles.of(get(Statistic.PEAK)),
        Math.round(single(Statistic.TOKENS)),
        Longs.of(rounded(Statistic.CHOSEN_TOGETHER)),
        single(Statistic.Y2));
  }

  private long[] rounded(Statistic statistic) {
    double[] found = get(statistic);
    return IntStream.range(0, found.length).mapToLong(i -> Math.round(found[i])).toArray();
  }

  private Doubles sum(double[] sums, int column) {
    return Doubles.of(
        IntStream.range(0, block.experts())
            .mapToDouble(expert -> sums[expert * SUMS + column])
            .toArray());
  }
}
