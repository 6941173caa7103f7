package io.moneonnx.profile;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** An array of doubles that never changes. */
public final class Doubles {
  private final double[] values;

  private Doubles(double[] values) {
    this.values = values;
  }

  /** Over {@code values} themselves: whoever hands them over does not write to them any more. */
  public static Doubles of(double... values) {
    return new Doubles(values);
  }

  public double get(int index) {
    return values[index];
  }

  public int size() {
    return values.length;
  }

  public DoubleStream stream() {
    return Arrays.stream(values);
  }

  Doubles plus(Doubles other) {
    double[] sums = new double[values.length];
    Arrays.setAll(sums, i -> values[i] + other.values[i]);
    return new Doubles(sums);
  }

  Doubles larger(Doubles other) {
    double[] maxima = new double[values.length];
    Arrays.setAll(maxima, i -> Math.max(values[i], other.values[i]));
    return new Doubles(maxima);
  }

  /** The same with 0 in every row of {@code width} elements that {@code cleared} names. */
  Doubles withRowsCleared(int width, IntPredicate cleared) {
    int[] rows =
        IntStream.range(0, values.length / width)
            .filter(cleared)
            .filter(row -> !isClear(row * width, (row + 1) * width))
            .toArray();
    if (rows.length == 0) {
      return this;
    }
    double[] changed = values.clone();
    for (int row : rows) {
      Arrays.fill(changed, row * width, (row + 1) * width, 0);
    }
    return new Doubles(changed);
  }

  private boolean isClear(int from, int to) {
    for (int i = from; i < to; i++) {
      if (Double.doubleToRawLongBits(values[i]) != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Doubles doubles && Arrays.equals(values, doubles.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return Arrays.toString(values);
  }
}
