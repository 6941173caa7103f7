package io.moneonnx.profile;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** The elements of one statistic, which never change, in memory or in a mapped file. */
public final class Values {
  /** What one element is, and what safetensors calls it. */
  public enum Type {
    /** A whole number from 0. */
    COUNT("I64"),
    /** A finite number, or NaN where it is not defined. */
    NUMBER("F64");

    private final String dtype;

    Type(String dtype) {
      this.dtype = dtype;
    }

    String dtype() {
      return dtype;
    }
  }

  /** Bytes of an element of any type. */
  static final int BYTES = 8;

  /** Of all NaNs this one, so that the same statistics are the same bytes. */
  private static final long UNDEFINED = Double.doubleToLongBits(Double.NaN);

  private final Type type;
  private final ByteBuffer bytes;

  private Values(Type type, ByteBuffer bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  /** A copy of these numbers. */
  public static Values of(double... values) {
    ByteBuffer bytes = room(values.length);
    bytes.asDoubleBuffer().put(values);
    return new Values(Type.NUMBER, bytes);
  }

  /** A copy of these counts. */
  public static Values counts(long... values) {
    ByteBuffer bytes = room(values.length);
    bytes.asLongBuffer().put(values);
    return new Values(Type.COUNT, bytes);
  }

  /** Over the bytes themselves, eight for each element, the lowest first. */
  static Values of(Type type, ByteBuffer bytes) {
    return new Values(type, bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
  }

  /**
   * Numbers row by row.
   *
   * @param row from which each is taken
   * @param fill puts the row of this number there
   */
  static Values ofRows(int rows, double[] row, IntConsumer fill) {
    ByteBuffer bytes = room(Math.multiplyExact(rows, row.length));
    DoubleBuffer out = bytes.asDoubleBuffer();
    for (int number = 0; number < rows; number++) {
      fill.accept(number);
      out.put(row);
    }
    return new Values(Type.NUMBER, bytes);
  }

  static Values zeros(Type type, long size) {
    return new Values(type, room(Math.toIntExact(size)));
  }

  private static ByteBuffer room(int size) {
    return ByteBuffer.allocate(Math.multiplyExact(size, BYTES)).order(ByteOrder.LITTLE_ENDIAN);
  }

  public Type type() {
    return type;
  }

  public int size() {
    return bytes.limit() / BYTES;
  }

  /** An element, a count as the number next to it. */
  public double get(int index) {
    return type == Type.NUMBER
        ? bytes.getDouble(index * BYTES)
        : (double) bytes.getLong(index * BYTES);
  }

  /** An element of counts. */
  public long count(int index) {
    if (type != Type.COUNT) {
      throw new IllegalStateException("expected counts, found numbers");
    }
    return bytes.getLong(index * BYTES);
  }

  /** All elements, as {@link #get} has them. */
  public DoubleStream stream() {
    return IntStream.range(0, size()).mapToDouble(this::get);
  }

  /** The sum of all counts. */
  public long total() {
    return IntStream.range(0, size()).mapToLong(this::count).sum();
  }

  /** Eight for each element, the lowest first. */
  ByteBuffer bytes() {
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** These counts and others added up. */
  Values plus(Values other) {
    long[] sums = new long[size()];
    Arrays.setAll(sums, i -> count(i) + other.count(i));
    return counts(sums);
  }

  /** The elements of one row, {@code width} wide, as {@link #get} has them. */
  public double[] row(int row, int width) {
    double[] out = new double[width];
    copyRow(row, out);
    return out;
  }

  void copyRow(int row, double... out) {
    for (int i = 0; i < out.length; i++) {
      out[i] = get(row * out.length + i);
    }
  }

  /**
   * The first element that is below 0 among counts, not finite or larger than {@code largest} in a
   * row of {@code width} numbers that is defined, or a number in one that is not; the size if there
   * is none.
   */
  int firstUnsound(int width, double largest, IntPredicate defined) {
    for (int from = 0; from < size(); from += width) {
      boolean isDefined = defined.test(from / width);
      for (int i = from; i < from + width; i++) {
        double value = get(i);
        boolean isNumber = isDefined ? Math.abs(value) <= largest : Double.isNaN(value);
        if (type == Type.COUNT ? value < 0 : !isNumber) {
          return i;
        }
      }
    }
    return size();
  }

  /** The same with NaN in every row of {@code width} elements that {@code undefined} names. */
  Values withoutRows(int width, IntPredicate undefined) {
    int[] rows =
        IntStream.range(0, size() / width)
            .filter(undefined)
            .filter(row -> !isUndefined(row * width, (row + 1) * width))
            .toArray();
    if (rows.length == 0) {
      return this;
    }
    double[] changed = stream().toArray();
    for (int row : rows) {
      Arrays.fill(changed, row * width, (row + 1) * width, Double.NaN);
    }
    return of(changed);
  }

  private boolean isUndefined(int from, int to) {
    return IntStream.range(from, to).allMatch(i -> bytes.getLong(i * BYTES) == UNDEFINED);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Values values && type == values.type && bytes.equals(values.bytes);
  }

  @Override
  public int hashCode() {
    return bytes.hashCode();
  }

  @Override
  public String toString() {
    return type == Type.NUMBER
        ? Arrays.toString(stream().toArray())
        : Arrays.toString(IntStream.range(0, size()).mapToLong(this::count).toArray());
  }
}
