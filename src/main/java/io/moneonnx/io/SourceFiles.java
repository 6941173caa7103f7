package io.moneonnx.io;

import io.moneonnx.graph.ColumnCut;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Tensor;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The files that written weights come from, each opened once; threads may read them together. */
final class SourceFiles implements Closeable {
  private static final long PIECE = 4 << 20;

  private final Map<Path, FileChannel> channels = new HashMap<>();

  /** Appends the elements of a tensor; what lies in files stays inside the kernel if it can. */
  void copy(Tensor tensor, WritableByteChannel target) throws IOException {
    if (tensor instanceof Tensor.External external) {
      for (FileRange range : external.ranges()) {
        copy(range, target);
      }
      return;
    }
    if (tensor instanceof ColumnCut cut) {
      for (long at = 0; at < cut.byteSize(); at += PIECE) {
        ByteBuffer piece = ByteBuffer.allocate((int) Math.min(PIECE, cut.byteSize() - at));
        cut.read(at, piece, this::read);
        write(piece.flip(), target);
      }
      return;
    }
    write(tensor.bytes(), target);
  }

  private static void write(ByteBuffer bytes, WritableByteChannel target) throws IOException {
    while (bytes.hasRemaining()) {
      target.write(bytes);
    }
  }

  private void copy(FileRange range, WritableByteChannel target) throws IOException {
    FileChannel source = channel(range.file());
    long end = range.offset() + range.length();
    for (long at = range.offset(); at < end; ) {
      long copied = source.transferTo(at, end - at, target);
      if (copied == 0) {
        throw cutShort(range, source);
      }
      at += copied;
    }
  }

  /** Fills {@code into} with elements of a tensor, from byte {@code from} of them on. */
  void read(Tensor tensor, long from, ByteBuffer into) throws IOException {
    if (tensor instanceof ColumnCut cut) {
      cut.read(from, into, this::read);
      return;
    }
    if (!(tensor instanceof Tensor.External external)) {
      into.put(tensor.bytes().position(Math.toIntExact(from)).slice().limit(into.remaining()));
      return;
    }
    long skipped = from;
    for (FileRange range : external.ranges()) {
      long length = Math.min(range.length() - skipped, into.remaining());
      if (length > 0) {
        read(range.part(skipped, length), into);
      }
      skipped = Math.max(0, skipped - range.length());
    }
  }

  private void read(FileRange range, ByteBuffer into) throws IOException {
    FileChannel source = channel(range.file());
    int limit = into.limit();
    into.limit(into.position() + Math.toIntExact(range.length()));
    for (long at = range.offset(); into.hasRemaining(); ) {
      int read = source.read(into, at);
      if (read < 0) {
        throw cutShort(range, source);
      }
      at += read;
    }
    into.limit(limit);
  }

  private static IOException cutShort(FileRange range, FileChannel source) throws IOException {
    return new IOException(
        "%s has shrunk to %d bytes, expected those from %d to %d"
            .formatted(
                range.file(), source.size(), range.offset(), range.offset() + range.length()));
  }

  private synchronized FileChannel channel(Path file) throws IOException {
    FileChannel channel = channels.get(file);
    if (channel == null) {
      channel = FileChannel.open(file);
      channels.put(file, channel);
    }
    return channel;
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : channels.values()) {
      channel.close();
    }
  }
}
