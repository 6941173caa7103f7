package io.moneonnx.observe;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.observe.Taps.Statistic;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import io.moneonnx.profile.Longs;
import io.moneonnx.profile.Slices;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * What one run of the observed model said of one block.
 *
 * @param standsIn see {@link Taps}
 * @param values of each statistic
 * @param batch what the model was fed
 */
record BlockReading(MoeBlock block, boolean standsIn, Map<Statistic, float[]> values, Batch batch) {
  private static final int SUMS = 6;
  private static final int MOMENTS = 5;

  String name() {
    return block.name();
  }

  private double[] get(Statistic statistic) {
    float[] found = values.get(statistic);
    return IntStream.range(0, found.length).mapToDouble(i -> found[i]).toArray();
  }

  private double single(Statistic statistic) {
    return get(statistic)[0];
  }

  /** How many tokens are in none of the statistics, since something of theirs is not finite. */
  long spoiled() {
    return Math.round(single(Statistic.SPOILED));
  }

  /** Says where the first of them is. */
  BadInputException failure() {
    double[] first = get(Statistic.FIRST_SPOILED);
    NotFinite.What what = NotFinite.What.of(first[3], first[4]);
    return new NotFinite(Math.round(first[0]), (int) first[1], Math.round(first[2]), what)
        .failure(name(), block.topK(), batch);
  }

  /**
   * Why the block is not what it was taken for; empty if its output is the sum of coefficients
   * times rows, and each choice has its row.
   *
   * @throws BadInputException if sums over all tokens are too large
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
    if (values.containsKey(Statistic.SMALLEST_STEP) && single(Statistic.SMALLEST_STEP) < 0) {
      return refusal("a region computes rows of another expert than the one it was found for");
    }
    double off = get(Statistic.REBUILT)[0];
    double largest = get(Statistic.REBUILT)[1];
    return Double.isFinite(off) && off <= block.precision().rebuilt() * largest
        ? Optional.empty()
        : refusal(
            "rebuilt from its experts' rows, the output is off by %.3g of %.3g; wanted %.0e relative"
                .formatted(off, largest, block.precision().rebuilt()));
  }

  private Optional<Refusal> refusal(String reason) {
    return Optional.of(new Refusal(name(), reason));
  }

  /** Each token's are finite by now, but float32 may not hold their sums. */
  private void requireFinite() {
    for (Statistic statistic : List.of(Statistic.SUMS, Statistic.MOMENTS, Statistic.Y2)) {
      if (!DoubleStream.of(get(statistic)).allMatch(Double::isFinite)) {
        throw new BadInputException(
            "block '%s': the squares of its experts' outputs are too large to be summed up at %s"
                .formatted(name(), String.join(", ", batch.samples())));
      }
    }
  }

  /**
   * The statistics, moved to the means that float32 could not hold: with {@code c = sum (f - m) /
   * n} the mean is {@code m + c}, and {@code sum (f - m - c)^2 = sum (f - m)^2 - n c^2}; with
   * weights {@code g^2} in the same way.
   */
  BlockStatistics statistics() {
    double[] sums = get(Statistic.SUMS);
    double[] n = get(Statistic.ROWS);
    float[] moments = values.get(Statistic.MOMENTS);
    int hidden = block.hidden();
    double[] mean = new double[block.experts() * hidden];
    double[] m2 = new double[mean.length];
    double[] gmean = new double[mean.length];
    double[] r2 = new double[block.experts()];
    for (int expert = 0; expert < block.experts(); expert++) {
      double g2 = sums[expert * SUMS + 1];
      double part = n[expert] > 0 ? 1 / n[expert] : 0;
      double gatedPart = g2 > 0 ? 1 / g2 : 0;
      double gatedSquares = 0;
      for (int i = 0; i < hidden; i++) {
        int at = expert * MOMENTS * hidden + i;
        int to = expert * hidden + i;
        double off = moments[at + hidden];
        double gatedOff = moments[at + 2 * hidden];
        mean[to] = moments[at] + off * part;
        m2[to] = Math.max(0, moments[at + 3 * hidden] - off * off * part);
        gmean[to] = moments[at] + gatedOff * gatedPart;
        gatedSquares += Math.max(0, moments[at + 4 * hidden] - gatedOff * gatedOff * gatedPart);
      }
      r2[expert] = gatedSquares;
    }
    return new BlockStatistics(
        BlockHeaders.of(block),
        Longs.of(rounded(Statistic.ROWS)),
        sum(sums, 0),
        sum(sums, 1),
        sum(sums, 2),
        sum(sums, 3),
        sum(sums, 4),
        sum(sums, 5),
        Doubles.of(mean),
        Doubles.of(m2),
        Doubles.of(gmean),
        Doubles.of(r2),
        Doubles.of(get(Statistic.PEAK)),
        Math.round(single(Statistic.TOKENS)),
        Longs.of(rounded(Statistic.CHOSEN_TOGETHER)),
        single(Statistic.Y2),
        Slices.NONE);
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
