package io.moneonnx.io;

import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;

/** Lays big tensors out in a data file, which is written once the model is complete. */
final class DataFile implements TensorSink {
  private static final long PAGE = 4096;
  private static final long CACHE_LINE = 64;
  private static final long PAGED = 64 << 10;

  private final String location;
  private final List<Placed> placed = new ArrayList<>();
  private long end;

  private record Placed(Tensor tensor, long offset) {}

  /**
   * @param location the data file's name, as the model refers to it
   */
  DataFile(String location) {
    this.location = location;
  }

  /** Big tensors begin on a page, so that a runtime can map them where they are. */
  @Override
  public boolean take(Tensor tensor, TensorProto.Builder proto) {
    long size = tensor.byteSize();
    if (size < SMALL || tensor instanceof Tensor.Strings) {
      return false;
    }
    long alignment = size < PAGED ? CACHE_LINE : PAGE;
    long offset = (end + alignment - 1) / alignment * alignment;
    ExternalData.describe(proto, location, offset, size);
    placed.add(new Placed(tensor, offset));
    end = offset + size;
    return true;
  }

  boolean isEmpty() {
    return placed.isEmpty();
  }

  void write(FileChannel target, SourceFiles sources) throws IOException {
    for (Placed next : placed) {
      target.position(next.offset());
      sources.copy(next.tensor(), target);
    }
  }
}
