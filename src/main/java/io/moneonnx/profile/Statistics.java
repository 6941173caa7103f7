package io.moneonnx.profile;

import io.moneonnx.profile.Statistic.Detail;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What was measured of a block on some tokens. Rows that are not defined are NaN, whatever they
 * came with.
 *
 * @param header of the block
 * @param detail which statistics there are, and in what shape
 * @param values of each of them
 */
public record Statistics(BlockHeader header, Detail detail, Map<Statistic, Values> values) {
  /** Throws {@link IllegalArgumentException} if one is missing, or has another type or size. */
  public Statistics {
    Map<Statistic, Values> all = new EnumMap<>(Statistic.class);
    for (Statistic statistic : detail.statistics()) {
      Values found = values.get(statistic);
      long size = detail.shape(statistic).elements(header);
      if (found == null || found.type() != statistic.type() || found.size() != size) {
        throw new IllegalArgumentException(
            "block '%s': %s: expected %d elements of type %s, found %s"
                .formatted(
                    header.name(),
                    statistic.symbol(),
                    size,
                    statistic.type(),
                    found == null ? "none" : found.size() + " of type " + found.type()));
      }
      int width = detail.shape(statistic).width(header);
      Values weights = statistic.weight().map(all::get).orElse(null);
      all.put(
          statistic,
          weights == null ? found : found.withoutRows(width, row -> weights.get(row) <= 0));
    }
    values = Collections.unmodifiableMap(all);
  }

  /** Each value made from its statistic. */
  public static Statistics of(
      BlockHeader header, Detail detail, Function<Statistic, Values> values) {
    return new Statistics(
        header,
        detail,
        detail.statistics().stream().collect(Collectors.toMap(Function.identity(), values)));
  }

  /** Of no tokens at all: what every merge can start from. */
  public static Statistics nothing(BlockHeader header, Detail detail) {
    return of(
        header, detail, each -> Values.zeros(each.type(), detail.shape(each).elements(header)));
  }

  public int experts() {
    return header.experts();
  }

  /** The values of a statistic, in the shape that {@link #detail} says. */
  public Values get(Statistic statistic) {
    return values.get(statistic);
  }

  /**
   * An expert's number of a statistic that has one for each, or the block's of one that has one.
   */
  public double get(Statistic statistic, int row) {
    return get(statistic).get(row);
  }

  /** The same with 0, which adds nothing, where it is not defined. */
  public double orZero(Statistic statistic, int row) {
    return defines(statistic, row) ? get(statistic, row) : 0;
  }

  /** False where nothing was counted that the expert's row of this statistic could be made from. */
  public boolean defines(Statistic statistic, int row) {
    return statistic.weight().isEmpty() || get(statistic.weight().get(), row) > 0;
  }

  /**
   * {@code V = sum M2 / (n - 1)}, the variance of the expert's output summed over its coordinates;
   * not defined for fewer than two tokens.
   */
  public OptionalDouble variance(int expert) {
    double n = get(Statistic.N, expert);
    return n < 2
        ? OptionalDouble.empty()
        : OptionalDouble.of(rowSum(Statistic.M2, expert) / (n - 1));
  }

  private double rowSum(Statistic statistic, int row) {
    int width = detail.shape(statistic).width(header);
    Values from = get(statistic);
    double sum = 0;
    for (int i = row * width; i < (row + 1) * width; i++) {
      sum += from.get(i);
    }
    return sum;
  }

  /** The same in {@link Detail#FULL}. */
  Statistics withoutMoments() {
    return new Statistics(header, Detail.FULL, values);
  }

  /** The same, one number an expert. */
  public Statistics sums() {
    return of(
        header,
        Detail.SUMS,
        each ->
            detail.shape(each) == Detail.SUMS.shape(each)
                ? get(each)
                : Values.of(
                    IntStream.range(0, experts()).mapToDouble(row -> rowSum(each, row)).toArray()));
  }

  /** The statistics of both sets of tokens together, each as {@link Detail#merge} says. */
  public Statistics merge(Statistics other) {
    if (!header.equals(other.header) || detail != other.detail) {
      throw new IllegalArgumentException(header + " does not merge with " + other.header);
    }
    return of(header, detail, each -> merged(each, other));
  }

  private Values merged(Statistic statistic, Statistics other) {
    Values ours = get(statistic);
    if (statistic.type() == Values.Type.COUNT) {
      return ours.plus(other.get(statistic));
    }
    double[] row = new double[detail.shape(statistic).width(header)];
    return Values.ofRows(
        ours.size() / row.length,
        row,
        number -> {
          if (!other.defines(statistic, number)) {
            ours.copyRow(number, row);
          } else if (!defines(statistic, number)) {
            other.get(statistic).copyRow(number, row);
          } else {
            detail.merge(statistic).row(statistic, this, other, number, row);
          }
        });
  }
}
