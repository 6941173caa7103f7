package io.moneonnx.graph;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A constant: its type, its shape and where its bytes are (row-major, little-endian, packed). */
public sealed interface Tensor permits Tensor.Inline, Tensor.External, Tensor.Strings, ColumnCut {
  /** Elements that are compared at once; a multiple of 8, for types of less than a byte. */
  int PIECE = 1 << 18;

  ElementType type();

  List<Long> dims();

  /**
   * The elements as bytes, little-endian; what lies in a file is read, so ask only for what is
   * small.
   */
  ByteBuffer bytes();

  /** The same elements in the order of {@code rows} of the leading axis; moves no bytes. */
  default Tensor rows(List<Integer> rows) {
    return along(0, rows);
  }

  /** The same bytes in another shape. */
  Tensor reshaped(List<Long> dims);

  /** The same elements in the order of {@code indices} of one axis; moves no bytes. */
  default Tensor along(int axis, List<Integer> indices) {
    long bits = elements(dims().subList(axis + 1, rank())) * type().bits();
    Runs runs = new Runs(this, bits);
    long outer = elements(dims().subList(0, axis));
    for (long i = 0; i < outer; i++) {
      for (int index : indices) {
        runs.add(i * dims().get(axis) + index);
      }
    }
    return runs.joined(axis, indices.size());
  }

  /**
   * For each of some indices of one axis its own indices of another, as many for each; moves no
   * bytes.
   *
   * @param some indices of the axis {@code each}, one for each list; one may stand several times
   */
  default Tensor alongEach(int each, List<Integer> some, int axis, List<List<Integer>> indices) {
    int last = Math.max(each, axis);
    Runs runs = new Runs(this, elements(dims().subList(last + 1, rank())) * type().bits());
    List<Long> all = new ArrayList<>(dims());
    all.set(each, (long) some.size());
    all.set(axis, (long) indices.get(0).size());
    List<Long> cut = all.subList(0, last + 1);
    long[] place = new long[last + 1];
    for (long i = 0; i < elements(cut); i++) {
      long rest = i;
      for (int at = last; at >= 0; at--) {
        place[at] = rest % cut.get(at);
        rest /= cut.get(at);
      }
      place[axis] = indices.get((int) place[each]).get((int) place[axis]);
      place[each] = some.get((int) place[each]);
      long row = 0;
      for (int at = 0; at <= last; at++) {
        row = row * dims().get(at) + place[at];
      }
      runs.add(row);
    }
    return joined(runs.found, all);
  }

  /** The same elements with the axes in another order; moves no bytes. */
  default Tensor transposed(List<Integer> order) {
    int moved = rank();
    while (moved > 0 && order.get(moved - 1) == moved - 1) {
      moved--;
    }
    List<Long> turned = order.stream().map(dims()::get).toList();
    Runs runs = new Runs(this, elements(dims().subList(moved, rank())) * type().bits());
    long[] place = new long[moved];
    for (long i = 0; i < elements(turned.subList(0, moved)); i++) {
      long rest = i;
      for (int at = moved - 1; at >= 0; at--) {
        place[order.get(at)] = rest % turned.get(at);
        rest /= turned.get(at);
      }
      long row = 0;
      for (int at = 0; at < moved; at++) {
        row = row * dims().get(at) + place[at];
      }
      runs.add(row);
    }
    return joined(runs.found, turned);
  }

  /** Rows of so many bits that are cut out of a tensor, neighbours as one. */
  final class Runs {
    private final Tensor tensor;
    private final long bits;
    private final List<Run> found = new ArrayList<>();

    private Runs(Tensor tensor, long bits) {
      if (bits % 8 != 0) {
        throw new IllegalArgumentException("a row of " + tensor + " does not end on a byte");
      }
      this.tensor = tensor;
      this.bits = bits;
    }

    private void add(long row) {
      Run next = new Run(row * bits / 8, bits / 8);
      int last = found.size() - 1;
      if (last >= 0 && found.get(last).touches(next)) {
        found.set(last, found.get(last).with(next));
      } else {
        found.add(next);
      }
    }

    private Tensor joined(int axis, int size) {
      List<Long> cut = new ArrayList<>(tensor.dims());
      cut.set(axis, (long) size);
      return tensor.joined(found, cut);
    }
  }

  /** So many neighbouring bytes of a tensor. */
  record Run(long from, long length) {
    boolean touches(Run next) {
      return from + length == next.from;
    }

    Run with(Run next) {
      return new Run(from, length + next.length);
    }
  }

  /** Some of the bytes, one run behind the other, in this shape. */
  Tensor joined(List<Run> runs, List<Long> dims);

  /**
   * The same elements off the heap, where they are on it and many.
   *
   * @throws UncheckedIOException if the disk has no room for them
   */
  default Tensor offHeap() {
    return this;
  }

  /** True where the elements are in memory that native code can read. */
  default boolean isOffHeap() {
    return false;
  }

  default long elements() {
    return elements(dims());
  }

  default long byteSize() {
    return type().bytes(elements());
  }

  default int rank() {
    return dims().size();
  }

  static long elements(List<Long> dims) {
    long elements = 1;
    for (long dim : dims) {
      elements = Math.multiplyExact(elements, dim);
    }
    return elements;
  }

  /** Bytes that are in memory, or mapped. */
  record Inline(ElementType type, List<Long> dims, ByteBuffer bytes) implements Tensor {
    public Inline {
      dims = List.copyOf(dims);
      bytes = bytes.slice().asReadOnlyBuffer();
      if (bytes.remaining() != type.bytes(Tensor.elements(dims))) {
        throw new IllegalArgumentException(
            "%s%s wants %d bytes, found %d"
                .formatted(
                    type.text(), dims, type.bytes(Tensor.elements(dims)), bytes.remaining()));
      }
    }

    @Override
    public ByteBuffer bytes() {
      return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public Tensor joined(List<Run> runs, List<Long> dims) {
      if (runs.size() == 1) {
        int from = Math.toIntExact(runs.get(0).from());
        return new Inline(type, dims, bytes.slice(from, (int) runs.get(0).length()));
      }
      ByteBuffer kept = ByteBuffer.allocate(Math.toIntExact(type.bytes(Tensor.elements(dims))));
      runs.forEach(run -> kept.put(bytes.slice((int) run.from(), (int) run.length())));
      return new Inline(type, dims, kept.flip());
    }

    @Override
    public Tensor reshaped(List<Long> dims) {
      return new Inline(type, dims, bytes);
    }

    @Override
    public Inline offHeap() {
      return new Inline(type, dims, OffHeap.of(bytes));
    }

    @Override
    public boolean isOffHeap() {
      return bytes.isDirect();
    }
  }

  /** Bytes that stay in files, as ranges to be joined in order. */
  record External(ElementType type, List<Long> dims, List<FileRange> ranges) implements Tensor {
    public External {
      dims = List.copyOf(dims);
      ranges = List.copyOf(ranges);
      long length = ranges.stream().mapToLong(FileRange::length).sum();
      if (length != type.bytes(Tensor.elements(dims))) {
        throw new IllegalArgumentException(
            "%s%s wants %d bytes, found %d"
                .formatted(type.text(), dims, type.bytes(Tensor.elements(dims)), length));
      }
    }

    @Override
    public ByteBuffer bytes() {
      ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(byteSize()));
      for (FileRange range : ranges) {
        try (FileChannel channel = FileChannel.open(range.file(), StandardOpenOption.READ)) {
          ByteBuffer part = all.slice(all.position(), Math.toIntExact(range.length()));
          while (part.hasRemaining()) {
            if (channel.read(part, range.offset() + part.position()) < 0) {
              throw new IOException(range.file() + " ends before byte " + range.offset() + part);
            }
          }
          all.position(all.position() + part.position());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return all.flip().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public Tensor joined(List<Run> runs, List<Long> dims) {
      return new External(type, dims, runs.stream().flatMap(run -> parts(run).stream()).toList());
    }

    @Override
    public Tensor along(int axis, List<Integer> indices) {
      List<Long> cut = new ArrayList<>(dims);
      cut.set(axis, (long) indices.size());
      long rows = Tensor.elements(dims.subList(0, axis));
      return ColumnCut.of(this, cut, axis, rows, List.of(0L), List.of(indices))
          .orElseGet(() -> Tensor.super.along(axis, indices));
    }

    @Override
    public Tensor alongEach(int each, List<Integer> some, int axis, List<List<Integer>> indices) {
      if (each > axis) {
        return Tensor.super.alongEach(each, some, axis, indices);
      }
      List<Long> cut = new ArrayList<>(dims);
      cut.set(each, (long) some.size());
      cut.set(axis, (long) indices.get(0).size());
      long between = Tensor.elements(dims.subList(each + 1, axis));
      List<Long> first = new ArrayList<>();
      List<List<Integer>> columns = new ArrayList<>();
      for (long i = 0; i < Tensor.elements(dims.subList(0, each)); i++) {
        for (int one : some) {
          first.add((i * dims.get(each) + one) * between);
        }
        columns.addAll(indices);
      }
      return ColumnCut.of(this, cut, axis, between, first, columns)
          .orElseGet(() -> Tensor.super.alongEach(each, some, axis, indices));
    }

    /** The ranges of a file that hold a run of these bytes. */
    private List<FileRange> parts(Run run) {
      List<FileRange> parts = new ArrayList<>();
      long start = 0;
      for (FileRange range : ranges) {
        long from = Math.max(run.from(), start) - start;
        long to = Math.min(run.from() + run.length(), start + range.length()) - start;
        if (from < to) {
          parts.add(range.part(from, to - from));
        }
        start += range.length();
      }
      return parts;
    }

    @Override
    public Tensor reshaped(List<Long> dims) {
      return new External(type, dims, ranges);
    }
  }

  /** Strings have no fixed size and never take part in a rewrite. */
  record Strings(List<Long> dims, List<ByteBuffer> values) implements Tensor {
    public Strings {
      dims = List.copyOf(dims);
      values = List.copyOf(values);
    }

    @Override
    public ElementType type() {
      return ElementType.STRING;
    }

    @Override
    public ByteBuffer bytes() {
      throw new IllegalStateException("strings have no packed bytes");
    }

    @Override
    public Tensor joined(List<Run> runs, List<Long> dims) {
      throw new IllegalStateException("strings are never cut");
    }

    @Override
    public Tensor reshaped(List<Long> dims) {
      return new Strings(dims, values);
    }

    @Override
    public long byteSize() {
      return values.stream().mapToLong(ByteBuffer::remaining).sum();
    }
  }

  static Inline of(List<Long> dims, float... values) {
    ByteBuffer bytes = allocate(4L * values.length);
    bytes.asFloatBuffer().put(values);
    return new Inline(ElementType.FLOAT, dims, bytes);
  }

  static Inline of(List<Long> dims, long... values) {
    ByteBuffer bytes = allocate(8L * values.length);
    bytes.asLongBuffer().put(values);
    return new Inline(ElementType.INT64, dims, bytes);
  }

  /** A vector {@code [n]} of int64. */
  static Inline vector(long... values) {
    return of(List.of((long) values.length), values);
  }

  static Inline scalar(long value) {
    return of(List.of(), value);
  }

  static Inline scalar(float value) {
    return of(List.of(), value);
  }

  /** Texts, in UTF-8. */
  static Strings strings(List<Long> dims, List<String> values) {
    return new Strings(
        dims,
        values.stream()
            .map(text -> ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)))
            .toList());
  }

  private static ByteBuffer allocate(long size) {
    return ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** These numbers in a floating type, each rounded to the nearest. */
  static Inline of(ElementType type, List<Long> dims, float... values) {
    ByteBuffer bytes = allocate(type.bytes(values.length));
    for (float value : values) {
      switch (type) {
        case DOUBLE -> bytes.putDouble(value);
        case FLOAT -> bytes.putFloat(value);
        case FLOAT16 -> bytes.putShort(Half.of(value));
        case BFLOAT16 -> bytes.putShort(Half.brainOf(value));
        default -> throw new IllegalArgumentException(type.text() + " is no floating type");
      }
    }
    return new Inline(type, dims, bytes.flip());
  }

  /**
   * True if the other one has the same elements in the same type and shape. What lies in files is
   * read in pieces, and not at all where both are the same ranges.
   */
  default boolean hasSameElements(Tensor other) {
    if (type() != other.type() || !dims().equals(other.dims())) {
      return false;
    } else if (equals(other)) {
      return true;
    } else if (type() == ElementType.STRING) {
      return false;
    }
    for (long from = 0; from < elements(); from += PIECE) {
      if (!piece(from).equals(other.piece(from))) {
        return false;
      }
    }
    return true;
  }

  private ByteBuffer piece(long from) {
    return piece(from, Math.min(PIECE, elements() - from));
  }

  /** So many elements from this one on, as bytes; both are multiples of 8, or go to the end. */
  default ByteBuffer piece(long from, long size) {
    return joined(List.of(new Run(type().bytes(from), type().bytes(size))), List.of(size)).bytes();
  }

  /** The elements of a floating type as float32. */
  default float[] toFloats() {
    float[] values = new float[Math.toIntExact(elements())];
    ByteBuffer bytes = bytes();
    if (type() == ElementType.FLOAT) {
      bytes.asFloatBuffer().get(values);
      return values;
    }
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type()) {
            case DOUBLE -> (float) bytes.getDouble(8 * i);
            case FLOAT16 -> Half.toFloat(bytes.getShort(2 * i));
            case BFLOAT16 -> Half.brainToFloat(bytes.getShort(2 * i));
            default -> throw new IllegalStateException(type().text() + " is not a floating type");
          };
    }
    return values;
  }

  /** The elements of an int64 or int32 tensor, in order: an index, a size or a shape, say. */
  default Optional<long[]> integers() {
    return type() == ElementType.INT64 || type() == ElementType.INT32
        ? Optional.of(toLongs())
        : Optional.empty();
  }

  /** True for one element of int64 or int32 that is this number, whatever the shape. */
  default boolean isNumber(long number) {
    return elements() == 1 && integers().filter(found -> found[0] == number).isPresent();
  }

  /** The elements as int64; for the integers and {@code BOOL}. */
  default long[] toLongs() {
    long[] values = new long[Math.toIntExact(elements())];
    ByteBuffer bytes = bytes();
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type()) {
            case INT64, UINT64 -> bytes.getLong(8 * i);
            case INT32 -> bytes.getInt(4 * i);
            case UINT32 -> Integer.toUnsignedLong(bytes.getInt(4 * i));
            case INT16 -> bytes.getShort(2 * i);
            case UINT16 -> Short.toUnsignedLong(bytes.getShort(2 * i));
            case INT8 -> bytes.get(i);
            case UINT8, BOOL -> Byte.toUnsignedLong(bytes.get(i));
            default -> throw new IllegalStateException(type().text() + " is not an integer type");
          };
    }
    return values;
  }
}
