package io.moneonnx.io;

import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Lays big tensors out in a data file, which is written once the model is complete. */
final class DataFile implements TensorSink {
  private static final long PAGE = 4096;
  private static final long CACHE_LINE = 64;
  private static final long PAGED = 64 << 10;

  private final String location;
  private final TensorSink small;
  private final List<Placed> placed = new ArrayList<>();
  private long end;

  private record Placed(Tensor tensor, long offset) {}

  /**
   * @param location the data file's name, as the model will refer to it
   * @param small where tensors go that are not worth a place in it
   */
  DataFile(String location, TensorSink small) {
    this.location = location;
    this.small = small;
  }

  /** Big tensors begin on a page, so that a runtime can map them where they are. */
  @Override
  public void put(Tensor tensor, TensorProto.Builder proto) throws IOException {
    long size = tensor.byteSize();
    if (size < SMALL || tensor instanceof Tensor.Strings) {
      small.put(tensor, proto);
      return;
    }
    long alignment = size < PAGED ? CACHE_LINE : PAGE;
    long offset = (end + alignment - 1) / alignment * alignment;
    ExternalData.describe(proto, location, offset, size);
    placed.add(new Placed(tensor, offset));
    end = offset + size;
  }

  boolean isEmpty() {
    return placed.isEmpty();
  }

  void write(Path file, SourceFiles sources) throws IOException {
    try (FileChannel target =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (Placed next : placed) {
        target.position(next.offset());
        write(next.tensor(), target, sources);
      }
      target.force(true);
    }
  }

  private static void write(Tensor tensor, FileChannel target, SourceFiles sources)
      throws IOException {
    if (tensor instanceof Tensor.External external) {
      for (FileRange range : external.ranges()) {
        sources.copy(range, target);
      }
      return;
    }
    ByteBuffer bytes = tensor.bytes();
    while (bytes.hasRemaining()) {
      target.write(bytes);
    }
  }
}
