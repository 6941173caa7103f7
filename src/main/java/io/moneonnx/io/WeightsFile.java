package io.moneonnx.io;

import io.moneonnx.graph.ColumnCut;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Lays big tensors out in a data file, which is written once the model is complete. */
final class WeightsFile implements TensorSink {
  private static final long PAGE = 4096;
  private static final long CACHE_LINE = 64;
  private static final long PAGED = 64 << 10;

  private final String location;
  private final NavigableMap<Long, Tensor> placed = new TreeMap<>();
  private final Map<Object, Long> taken = new HashMap<>();
  private long end;

  /**
   * @param location the data file's name, as the model refers to it
   */
  WeightsFile(String location) {
    this.location = location;
  }

  /**
   * Big tensors begin on a page, so that a runtime can map them where they are. What several have
   * from the same place, or is new and the same, is written once.
   */
  @Override
  public boolean take(Tensor tensor, TensorProto.Builder proto) {
    if (tensor.byteSize() < SMALL || tensor instanceof Tensor.Strings) {
      return false;
    }
    long offset = taken.computeIfAbsent(source(tensor), source -> place(tensor));
    ExternalData.describe(proto, location, offset, tensor.byteSize());
    return true;
  }

  /** What tells elements apart without reading files: where they lie, or what they are. */
  private static Object source(Tensor tensor) {
    return tensor instanceof Tensor.External external
        ? external.ranges()
        : tensor instanceof ColumnCut cut ? cut.reshaped(List.of(cut.elements())) : tensor.bytes();
  }

  private long place(Tensor tensor) {
    long alignment = tensor.byteSize() < PAGED ? CACHE_LINE : PAGE;
    long offset = (end + alignment - 1) / alignment * alignment;
    placed.put(offset, tensor);
    end = offset + tensor.byteSize();
    return offset;
  }

  String location() {
    return location;
  }

  /** Bytes that it is going to have; 0 if nothing was taken. */
  long size() {
    return end;
  }

  void write(Path file, SourceFiles sources) throws IOException {
    PiecewiseFile.write(file, end, (at, piece) -> fill(at, piece, sources));
  }

  /** What lies from {@code at} on, as much as {@code piece} takes; zeros between tensors. */
  private void fill(long at, ByteBuffer piece, SourceFiles sources) throws IOException {
    int size = piece.limit();
    for (Map.Entry<Long, Tensor> next : placed.tailMap(placed.floorKey(at), true).entrySet()) {
      long from = next.getKey() - at;
      if (from >= size) {
        break;
      }
      while (piece.position() < from) {
        piece.put((byte) 0);
      }
      piece.limit((int) Math.min(size, from + next.getValue().byteSize()));
      if (piece.hasRemaining()) {
        sources.read(next.getValue(), piece.position() - from, piece);
      }
      piece.limit(size);
    }
    while (piece.hasRemaining()) {
      piece.put((byte) 0);
    }
  }
}
