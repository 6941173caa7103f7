package io.moneonnx.io;

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

/** The files that written weights come from, each opened once. */
final class SourceFiles implements Closeable {
  private final Map<Path, FileChannel> channels = new HashMap<>();

  /** Appends the elements of a tensor; what lies in files stays inside the kernel if it can. */
  void copy(Tensor tensor, WritableByteChannel target) throws IOException {
    if (tensor instanceof Tensor.External external) {
      for (FileRange range : external.ranges()) {
        copy(range, target);
      }
      return;
    }
    ByteBuffer bytes = tensor.bytes();
    while (bytes.hasRemaining()) {
      target.write(bytes);
    }
  }

  private void copy(FileRange range, WritableByteChannel target) throws IOException {
    FileChannel source = channel(range.file());
    long end = range.offset() + range.length();
    if (end > source.size()) {
      throw new IOException(
          "%s has %d bytes left of the %d it was read with"
              .formatted(range.file(), source.size(), end));
    }
    for (long at = range.offset(); at < end; ) {
      at += source.transferTo(at, end - at, target);
    }
  }

  private FileChannel channel(Path file) throws IOException {
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
