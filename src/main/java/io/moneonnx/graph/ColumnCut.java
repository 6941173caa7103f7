package io.moneonnx.graph;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Columns of a matrix, or of several, that stay in files: too many ranges to be listed one by one.
 *
 * @param whole what they are cut out of
 * @param strips rows with the same columns, one behind the other
 */
public record ColumnCut(
    ElementType type, List<Long> dims, Tensor.External whole, List<Strip> strips)
    implements Tensor {
  /** Bytes that are read at once. */
  private static final int BATCH = 1 << 20;

  /** So many ranges are listed, and any number of long ones. */
  private static final long FEW = 1024;

  private static final long LONG = 4096;

  /** Bytes of a row, which is read at once. */
  private static final long WIDEST = 1 << 26;

  public ColumnCut {
    dims = List.copyOf(dims);
    strips = List.copyOf(strips);
    long length = strips.stream().mapToLong(Strip::size).sum();
    if (length != type.bytes(Tensor.elements(dims))) {
      throw new IllegalArgumentException(
          "%s%s wants %d bytes, found %d"
              .formatted(type.text(), dims, type.bytes(Tensor.elements(dims)), length));
    }
  }

  /**
   * Rows of which the same bytes are left.
   *
   * @param from where the first begins in the whole
   * @param stride bytes from one to the next
   * @param rows how many there are
   * @param columns what is left of each, counted from its beginning, in this order
   */
  public record Strip(long from, long stride, long rows, List<Run> columns) {
    public Strip {
      columns = List.copyOf(columns);
    }

    /** Bytes that are left of a row. */
    private long width() {
      return columns.stream().mapToLong(Run::length).sum();
    }

    private long size() {
      return rows * width();
    }

    private long begin() {
      return columns.stream().mapToLong(Run::from).min().orElse(0);
    }

    private long end() {
      return columns.stream().mapToLong(run -> run.from() + run.length()).max().orElse(0);
    }

    /** Reads what is left from byte {@code skipped} of it on, as much as there is room for. */
    private void read(Tensor.External whole, long skipped, ByteBuffer into, Reader reader)
        throws IOException {
      long width = width();
      long begin = begin();
      long span = end() - begin;
      long skip = skipped % width;
      for (long row = skipped / width; row < rows && into.hasRemaining(); ) {
        long wanted = (skip + into.remaining() + width - 1) / width;
        long fitting = Math.max(1, (BATCH - span) / stride + 1);
        long count = Math.min(Math.min(wanted, fitting), rows - row);
        ByteBuffer batch = ByteBuffer.allocate(Math.toIntExact((count - 1) * stride + span));
        reader.read(whole, from + row * stride + begin, batch);
        for (long i = 0; i < count; i++) {
          skip = gather(batch, i * stride - begin, skip, into);
        }
        row += count;
      }
    }

    /** The columns of one row of a batch; returns how much is left to be skipped. */
    private long gather(ByteBuffer batch, long at, long skip, ByteBuffer into) {
      long rest = skip;
      for (Run column : columns) {
        int length = (int) Math.min(column.length() - rest, into.remaining());
        if (length > 0) {
          into.put(batch.slice(Math.toIntExact(at + column.from() + rest), length));
        }
        rest = Math.max(0, rest - column.length());
      }
      return rest;
    }
  }

  /**
   * Columns that are too many to be listed row by row; empty where they are not.
   *
   * @param dims of what is left
   * @param axis that is cut
   * @param rows how many have the same columns
   * @param first by columns the first of these rows, counted in indices of all axes before
   * @param columns indices of the axis
   */
  static Optional<Tensor> of(
      Tensor.External whole,
      List<Long> dims,
      int axis,
      long rows,
      List<Long> first,
      List<List<Integer>> columns) {
    long bits = Tensor.elements(whole.dims().subList(axis + 1, whole.rank())) * whole.type().bits();
    if (bits % 8 != 0) {
      return Optional.empty();
    }
    long stride = whole.dims().get(axis) * bits / 8;
    List<Strip> strips = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      strips.add(new Strip(first.get(i) * stride, stride, rows, runs(columns.get(i), bits / 8)));
    }
    long ranges = strips.stream().mapToLong(strip -> strip.rows() * strip.columns().size()).sum();
    long bytes = strips.stream().mapToLong(Strip::size).sum();
    return ranges > FEW && bytes / ranges < LONG && rows > 1 && stride <= WIDEST
        ? Optional.of(new ColumnCut(whole.type(), dims, whole, strips))
        : Optional.empty();
  }

  private static List<Run> runs(List<Integer> columns, long bytes) {
    List<Run> runs = new ArrayList<>();
    for (int column : columns) {
      int last = runs.size() - 1;
      Run next = new Run(column * bytes, bytes);
      if (last >= 0 && runs.get(last).touches(next)) {
        runs.set(last, runs.get(last).with(next));
      } else {
        runs.add(next);
      }
    }
    return runs;
  }

  /** Reads bytes of what lies in files. */
  @FunctionalInterface
  public interface Reader {
    /** Fills {@code into} from byte {@code from} of a tensor on. */
    void read(Tensor tensor, long from, ByteBuffer into) throws IOException;
  }

  /** Fills {@code into} from byte {@code from} of these elements on. */
  public void read(long from, ByteBuffer into, Reader reader) throws IOException {
    long before = 0;
    for (Strip strip : strips) {
      if (into.hasRemaining() && from < before + strip.size()) {
        strip.read(whole, Math.max(0, from - before), into, reader);
      }
      before += strip.size();
    }
  }

  private ByteBuffer bytes(long from, long length) {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(length));
    try {
      read(from, bytes, (tensor, at, into) -> into.put(part(tensor, at, into.remaining())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer part(Tensor tensor, long from, long length) {
    long elements = length * 8 / tensor.type().bits();
    return tensor.joined(List.of(new Run(from, length)), List.of(elements)).bytes();
  }

  @Override
  public ByteBuffer bytes() {
    return bytes(0, byteSize());
  }

  /** As many ranges as it takes. */
  @Override
  public Tensor joined(List<Run> runs, List<Long> cut) {
    List<Run> own = new ArrayList<>();
    for (Strip strip : strips) {
      for (long row = 0; row < strip.rows(); row++) {
        long start = strip.from() + row * strip.stride();
        strip.columns().forEach(run -> own.add(new Run(start + run.from(), run.length())));
      }
    }
    return ((Tensor.External) whole.joined(own, dims)).joined(runs, cut);
  }

  @Override
  public Tensor reshaped(List<Long> shape) {
    return new ColumnCut(type, shape, whole, strips);
  }

  @Override
  public ByteBuffer piece(long from, long size) {
    return bytes(type.bytes(from), type.bytes(size));
  }
}
