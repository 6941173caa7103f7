package io.moneonnx.profile;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** An array of doubles that never changes, in memory or in a mapped file. */
public final class Doubles {
  private final DoubleBuffer values;

  private Doubles(DoubleBuffer values) {
    this.values = values;
  }

  /** Over {@code values} themselves: whoever hands them over does not write to them any more. */
  public static Doubles of(double... values) {
    return new Doubles(DoubleBuffer.wrap(values));
  }

  /**
   * Over the bytes themselves, eight for each, the lowest first.
   *
   * @throws IllegalArgumentException if some are left over
   */
  static Doubles of(ByteBuffer bytes) {
    if (bytes.remaining() % Double.BYTES != 0) {
      throw new IllegalArgumentException(
          "%d bytes are no whole number of doubles".formatted(bytes.remaining()));
    }
    return new Doubles(bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer());
  }

  public double get(int index) {
    return values.get(index);
  }

  public int size() {
    return values.limit();
  }

  public DoubleStream stream() {
    return IntStream.range(0, size()).mapToDouble(values::get);
  }

  /** Eight bytes for each, the lowest first. */
  ByteBuffer bytes() {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(size(), Double.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values.duplicate());
    return bytes;
  }

  private double[] toArray() {
    double[] array = new double[size()];
    values.get(0, array);
    return array;
  }

  Doubles plus(Doubles other) {
    double[] sums = new double[size()];
    Arrays.setAll(sums, i -> get(i) + other.get(i));
    return of(sums);
  }

  Doubles larger(Doubles other) {
    double[] maxima = new double[size()];
    Arrays.setAll(maxima, i -> Math.max(get(i), other.get(i)));
    return of(maxima);
  }

  /** The same with 0 in every row of {@code width} elements that {@code cleared} names. */
  Doubles withRowsCleared(int width, IntPredicate cleared) {
    int[] rows =
        IntStream.range(0, size() / width)
            .filter(cleared)
            .filter(row -> !isClear(row * width, (row + 1) * width))
            .toArray();
    if (rows.length == 0) {
      return this;
    }
    double[] changed = toArray();
    for (int row : rows) {
      Arrays.fill(changed, row * width, (row + 1) * width, 0);
    }
    return of(changed);
  }

  private boolean isClear(int from, int to) {
    for (int i = from; i < to; i++) {
      if (Double.doubleToRawLongBits(get(i)) != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Doubles doubles && Arrays.equals(toArray(), doubles.toArray());
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(toArray());
  }

  @Override
  public String toString() {
    return Arrays.toString(toArray());
  }
}
