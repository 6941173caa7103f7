package io.moneonnx.pipeline;

import io.moneonnx.run.RuntimeFailureException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What was measured of a model; what could not be is missing.
 *
 * @param values seconds and bytes
 */
public record BenchFigures(Map<BenchMeasure, Double> values) {
  public BenchFigures {
    values = Collections.unmodifiableMap(new EnumMap<>(values));
  }

  /** Reads what {@link #toString} wrote. */
  static BenchFigures parse(String text) {
    Map<BenchMeasure, Double> values = new EnumMap<>(BenchMeasure.class);
    try {
      for (String figure : text.strip().split(" ", -1)) {
        String[] parts = figure.split("=", 2);
        values.put(BenchMeasure.valueOf(parts[0]), Double.valueOf(parts[1]));
      }
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      throw new RuntimeFailureException(
          "a process that timed a model said '%s'".formatted(text), e);
    }
    return new BenchFigures(values);
  }

  /** One line: {@code LOAD=0.012 PREFILL=1.5}. */
  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(figure -> figure.getKey() + "=" + figure.getValue())
        .collect(Collectors.joining(" "));
  }

  /** Of each figure the median over rounds that all have the same figures. */
  static BenchFigures medians(List<BenchFigures> rounds) {
    Map<BenchMeasure, Double> medians = new EnumMap<>(BenchMeasure.class);
    for (BenchMeasure measure : rounds.get(0).values.keySet()) {
      List<Double> found = new ArrayList<>();
      rounds.forEach(round -> found.add(round.values.get(measure)));
      medians.put(measure, median(found));
    }
    return new BenchFigures(medians);
  }

  /** The middle one, or the mean of the two in the middle. */
  public static double median(List<Double> numbers) {
    double[] sorted = numbers.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
