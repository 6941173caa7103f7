package io.moneonnx.graph;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Room for elements of tensors that the program makes itself, of which a model may have more than
 * the heap holds: regions of temporary files, mapped, in the folder {@code java.io.tmpdir}. The
 * system writes them to the disk where memory is short. A region is freed with the last tensor in
 * it.
 */
final class OffHeap {
  /** What takes less stays on the heap. */
  static final int LEAST = 1 << 16;

  private static final int REGION = 1 << 26;
  private static final String PREFIX = "mone-onnx-mapped-";

  /** What is left of the last region. */
  private static ByteBuffer room = ByteBuffer.allocate(0);

  private OffHeap() {}

  /**
   * The same bytes, off the heap, where they are many.
   *
   * @throws UncheckedIOException if the disk has no room for them
   */
  static synchronized ByteBuffer of(ByteBuffer bytes) {
    int size = bytes.remaining();
    if (bytes.isDirect() || size < LEAST) {
      return bytes;
    }
    if (room.remaining() < size) {
      room = region(Math.max(REGION, size));
    }
    ByteBuffer kept = room.slice(room.position(), size);
    kept.put(bytes.duplicate());
    int aligned = (size + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    room.position(Math.min(room.limit(), room.position() + aligned));
    return kept.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Written in full before it is mapped: a full disk is found here, not at an access. */
  private static ByteBuffer region(int size) {
    try {
      Path parent = Path.of(System.getProperty("java.io.tmpdir"));
      HeldFolder.removeAbandoned(parent, PREFIX, left -> {});
      HeldFolder folder = HeldFolder.in(parent, PREFIX);
      try (FileChannel channel =
          FileChannel.open(
              folder.path().resolve("region"),
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE)) {
        ByteBuffer zeros = ByteBuffer.allocate(1 << 20);
        for (long at = 0; at < size; at += channel.write(zeros, at)) {
          zeros.rewind().limit((int) Math.min(zeros.capacity(), size - at));
        }
        return channel.map(FileChannel.MapMode.READ_WRITE, 0, size);
      } finally {
        remove(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          new IOException(
              "%s: no room for %d bytes of weights: %s"
                  .formatted(System.getProperty("java.io.tmpdir"), size, Reason.of(e)),
              e));
    }
  }

  /** At once where a mapped file may be removed, else by the next program that maps one. */
  private static void remove(HeldFolder folder) {
    try {
      folder.close();
    } catch (UncheckedIOException e) {
      // Windows keeps what is mapped.
    }
  }
}
