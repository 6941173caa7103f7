package io.moneonnx.profile;

import java.util.Arrays;
import java.util.stream.LongStream;

/** An array of longs that never changes. */
public final class Longs {
  private final long[] values;

  private Longs(long[] values) {
    this.values = values;
  }

  /** Over {@code values} themselves: whoever hands them over does not write to them any more. */
  public static Longs of(long... values) {
    return new Longs(values);
  }

  public long get(int index) {
    return values[index];
  }

  public int size() {
    return values.length;
  }

  public LongStream stream() {
    return Arrays.stream(values);
  }

  Longs plus(Longs other) {
    long[] sums = new long[values.length];
    Arrays.setAll(sums, i -> values[i] + other.values[i]);
    return new Longs(sums);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Longs longs && Arrays.equals(values, longs.values);
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
