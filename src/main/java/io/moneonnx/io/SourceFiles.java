package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.moneonnx.graph.FileRange;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The files that written weights come from, each opened once. What is mapped outlives this. */
final class SourceFiles implements Closeable {
  private final Map<Path, FileChannel> channels = new HashMap<>();
  private final Map<Path, ByteString> mappings = new HashMap<>();

  /** Appends a range to {@code target}, inside the kernel where it can. */
  void copy(FileRange range, FileChannel target) throws IOException {
    FileChannel source = channel(range);
    long done = 0;
    while (done < range.length()) {
      done += source.transferTo(range.offset() + done, range.length() - done, target);
    }
  }

  /**
   * A range as memory. A file is mapped as a whole where that is possible: a process may have some
   * 65,000 mappings, and a model more ranges.
   */
  ByteString mapped(FileRange range) throws IOException {
    FileChannel channel = channel(range);
    if (channel.size() > Integer.MAX_VALUE) {
      return map(channel, range.offset(), range.length());
    }
    ByteString whole = mappings.get(range.file());
    if (whole == null) {
      whole = map(channel, 0, channel.size());
      mappings.put(range.file(), whole);
    }
    int begin = Math.toIntExact(range.offset());
    return whole.substring(begin, begin + Math.toIntExact(range.length()));
  }

  private static ByteString map(FileChannel channel, long offset, long length) throws IOException {
    return UnsafeByteOperations.unsafeWrap(channel.map(MapMode.READ_ONLY, offset, length));
  }

  private FileChannel channel(FileRange range) throws IOException {
    FileChannel channel = channels.get(range.file());
    if (channel == null) {
      channel = FileChannel.open(range.file());
      channels.put(range.file(), channel);
    }
    if (range.offset() + range.length() > channel.size()) {
      throw new IOException(
          "%s has %d bytes left of the %d it was read with"
              .formatted(range.file(), channel.size(), range.offset() + range.length()));
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
