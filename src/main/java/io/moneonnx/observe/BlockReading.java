package io.moneonnx.observe;

import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.observe.Taps.Tap;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Slices;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistics;
import io.moneonnx.profile.Values;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * What one run of the observed model said of one block.
 *
 * @param values of each tap
 * @param neurons what {@link NeuronMoments} came to, if that was asked for
 * @param batch what the model was fed
 */
record BlockReading(
    MoeBlock block, Taps taps, Map<Tap, float[]> values, Optional<Tensor> neurons, Batch batch) {
  private static final int MOMENTS = 5;

  String name() {
    return block.name();
  }

  boolean standsIn() {
    return taps.standsIn();
  }

  private double[] get(Tap tap) {
    float[] found = values.get(tap);
    return IntStream.range(0, found.length).mapToDouble(i -> found[i]).toArray();
  }

  private double single(Tap tap) {
    return get(tap)[0];
  }

  /** How many tokens are in none of the statistics, since something of theirs is not finite. */
  long spoiled() {
    return Math.round(single(Tap.SPOILED));
  }

  /** Says where the first of them is. */
  BadInputException failure() {
    double[] first = get(Tap.FIRST_SPOILED);
    NotFinite.What what = NotFinite.What.of(first[3], first[4]);
    return new NotFinite(Math.round(first[0]), (int) first[1], Math.round(first[2]), what)
        .failure(name(), block.topK(), batch);
  }

  /**
   * Why the block is not what it was taken for; empty if its output is the sum of routing weights
   * times rows, and each choice has its row.
   *
   * @throws BadInputException if sums over all tokens are too large
   */
  Optional<Refusal> disproof() {
    requireFinite();
    double[] rows = get(Tap.ROWS);
    double[] together = get(Tap.CHOSEN_TOGETHER);
    for (int expert : block.owners()) {
      double chosen = together[expert * (block.experts() + 1)];
      if (rows[expert] != chosen) {
        return refusal(
            "expert %d was chosen by %.0f tokens, but has %.0f rows"
                .formatted(expert, chosen, rows[expert]));
      }
    }
    if (values.containsKey(Tap.SMALLEST_STEP) && single(Tap.SMALLEST_STEP) < 0) {
      return refusal("a region computes rows of another expert than the one it was found for");
    }
    return difference(Tap.REBUILT)
        .flatMap(off -> refusal("rebuilt from its experts' rows, the output is " + off));
  }

  /**
   * Why the moments are not those of what its experts' down projections read; empty if nothing
   * speaks against it.
   */
  Optional<String> disproofOfMoments() {
    return values.containsKey(Tap.RECOMPUTED)
        ? difference(Tap.RECOMPUTED)
            .map(off -> "computed from what its down projections would read, a row is " + off)
        : Optional.empty();
  }

  /** How far off something is that is computed in two ways; empty where that is near enough. */
  private Optional<String> difference(Tap tap) {
    double off = get(tap)[0];
    double largest = get(tap)[1];
    return Double.isFinite(off) && off <= block.precision().rebuilt() * largest
        ? Optional.empty()
        : Optional.of(
            "off by %.3g of %.3g; expected %.0e relative"
                .formatted(off, largest, block.precision().rebuilt()));
  }

  private Optional<Refusal> refusal(String reason) {
    return Optional.of(new Refusal(name(), reason));
  }

  /** Each token's are finite by now, but float32 may not hold their sums. */
  private void requireFinite() {
    for (Tap tap : List.of(Tap.SUMS, Tap.MOMENTS, Tap.Y2)) {
      if (!DoubleStream.of(get(tap)).allMatch(Double::isFinite)) {
        throw new BadInputException(
            "block '%s': the squares of its experts' outputs are too large to be summed up at %s"
                .formatted(name(), String.join(", ", batch.samples())));
      }
    }
  }

  /** The statistics, as they are or made from moments. */
  BlockStatistics statistics() {
    BlockHeader header = taps.header();
    Map<Statistic, Values> all = new EnumMap<>(Statistic.class);
    for (Tap tap : values.keySet()) {
      int from = 0;
      for (Statistic statistic : tap.statistics()) {
        int size = (int) statistic.shape().elements(header);
        all.put(statistic, values(statistic.type(), values.get(tap), from, size));
        from += size;
      }
    }
    addMoments(all);
    neurons.ifPresent(
        found -> all.putAll(NeuronMoments.statistics(header, found.bytes().asFloatBuffer())));
    return new BlockStatistics(new Statistics(header, taps.detail(), all), Slices.NONE);
  }

  private static Values values(Values.Type type, float[] found, int from, int size) {
    double[] numbers = IntStream.range(from, from + size).mapToDouble(i -> found[i]).toArray();
    return type == Values.Type.COUNT
        ? Values.counts(DoubleStream.of(numbers).mapToLong(Math::round).toArray())
        : Values.of(numbers);
  }

  /**
   * Moved to the means that float32 could not hold: with {@code c = sum (f - m) / n} the mean is
   * {@code m + c}, and {@code sum (f - m - c)^2 = sum (f - m)^2 - n c^2}; with weights {@code g^2}
   * in the same way.
   */
  private void addMoments(Map<Statistic, Values> all) {
    float[] moments = values.get(Tap.MOMENTS);
    int hidden = block.hidden();
    double[] mean = new double[block.experts() * hidden];
    double[] m2 = new double[mean.length];
    double[] gmean = new double[mean.length];
    double[] r2 = new double[block.experts()];
    for (int expert = 0; expert < block.experts(); expert++) {
      double n = all.get(Statistic.N).get(expert);
      double g2 = all.get(Statistic.G2).get(expert);
      double part = n > 0 ? 1 / n : 0;
      double gatedPart = g2 > 0 ? 1 / g2 : 0;
      for (int i = 0; i < hidden; i++) {
        int at = expert * MOMENTS * hidden + i;
        int to = expert * hidden + i;
        double off = moments[at + hidden];
        double gatedOff = moments[at + 2 * hidden];
        mean[to] = moments[at] + off * part;
        m2[to] = Math.max(0, moments[at + 3 * hidden] - off * off * part);
        gmean[to] = moments[at] + gatedOff * gatedPart;
        r2[expert] += Math.max(0, moments[at + 4 * hidden] - gatedOff * gatedOff * gatedPart);
      }
    }
    all.put(Statistic.MEAN, Values.of(mean));
    all.put(Statistic.M2, Values.of(m2));
    all.put(Statistic.GMEAN, Values.of(gmean));
    all.put(Statistic.R2, Values.of(r2));
  }
}
