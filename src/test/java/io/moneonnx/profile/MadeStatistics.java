package io.moneonnx.profile;

import io.moneonnx.profile.Statistic.Detail;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * Made-up statistics of a block: 0 but for those that are given.
 *
 * @param values given so far
 */
public record MadeStatistics(BlockHeader header, Detail detail, Map<Statistic, Values> values) {
  private static final List<Statistic> SUMS =
      List.of(Statistic.G1, Statistic.G2, Statistic.A1, Statistic.A2, Statistic.B1, Statistic.B2);

  /** Nothing but zeros yet. */
  public static MadeStatistics of(BlockHeader header) {
    return new MadeStatistics(header, Detail.FULL, Map.of());
  }

  /** The same, one number an expert. */
  public MadeStatistics sums() {
    return new MadeStatistics(header, Detail.SUMS, values);
  }

  public MadeStatistics with(Statistic statistic, Values given) {
    Map<Statistic, Values> all = new EnumMap<>(Statistic.class);
    all.putAll(values);
    all.put(statistic, given);
    return new MadeStatistics(header, detail, all);
  }

  /** Whole numbers where the statistic counts. */
  public MadeStatistics with(Statistic statistic, double... given) {
    return with(
        statistic,
        statistic.type() == Values.Type.COUNT
            ? Values.counts(DoubleStream.of(given).mapToLong(number -> (long) number).toArray())
            : Values.of(given));
  }

  /** {@code G1}, {@code G2}, {@code A1}, {@code A2}, {@code B1} and {@code B2}, in this order. */
  public MadeStatistics withSums(double[]... sums) {
    MadeStatistics made = this;
    for (int i = 0; i < SUMS.size(); i++) {
      made = made.with(SUMS.get(i), Values.of(sums[i]));
    }
    return made;
  }

  public Statistics all() {
    return Statistics.of(
        header,
        detail,
        each ->
            Optional.ofNullable(values.get(each))
                .orElseGet(() -> Values.zeros(each.type(), detail.shape(each).elements(header))));
  }

  public BlockStatistics block() {
    return block(Slices.NONE);
  }

  public BlockStatistics block(Slices slices) {
    return new BlockStatistics(all(), slices);
  }
}
