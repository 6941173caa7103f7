package io.moneonnx.io;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a big file in pieces, of which one is made while others are on their way to the disk. They
 * go there directly where the file system lets them: gigabytes that pass through the system's page
 * cache cost more than the copy itself, push out what was in it, and are not safe on the disk for
 * long after.
 */
final class PiecewiseFile {
  private static final int PIECE = 4 << 20;
  private static final int BLOCK = 4096;
  private static final int IN_FLIGHT = 3;

  private final Path file;
  private final long size;
  private final Part part;
  private final AtomicLong next = new AtomicLong();

  /** Makes one piece. */
  @FunctionalInterface
  interface Part {
    /** Fills {@code piece}, from its position 0 to its limit, with what lies at {@code at}. */
    void fill(long at, ByteBuffer piece) throws IOException;
  }

  private PiecewiseFile(Path file, long size, Part part) {
    this.file = file;
    this.size = size;
    this.part = part;
  }

  /** Writes a file that is not there yet; what it holds is on the disk when this returns. */
  static void write(Path file, long size, Part part) throws IOException {
    new PiecewiseFile(file, size, part).write();
  }

  private void write() throws IOException {
    int workers = (int) Math.min(IN_FLIGHT, (size + PIECE - 1) / PIECE);
    ExecutorService pool = Executors.newFixedThreadPool(workers);
    try (FileChannel target = open()) {
      List<Callable<Void>> work = Collections.nCopies(workers, () -> writePieces(target));
      for (Future<Void> done : pool.invokeAll(work)) {
        done.get();
      }
      target.truncate(size);
      target.force(true);
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      pool.shutdownNow();
    }
  }

  /** What is no matter of files passes as it is. */
  private static IOException failure(Throwable cause) {
    if (cause instanceof RuntimeException defect) {
      throw defect;
    } else if (cause instanceof Error error) {
      throw error;
    }
    return cause instanceof IOException failure ? failure : new IOException(cause);
  }

  private FileChannel open() throws IOException {
    Files.createFile(file);
    if (takesDirectly()) {
      return FileChannel.open(file, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT);
    }
    return FileChannel.open(file, StandardOpenOption.WRITE);
  }

  /** Tries it with a first block; not every file system that takes the option takes the bytes. */
  private boolean takesDirectly() {
    try (FileChannel direct =
        FileChannel.open(file, StandardOpenOption.WRITE, ExtendedOpenOption.DIRECT)) {
      return direct.write(buffer().limit(BLOCK), 0) == BLOCK;
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private Void writePieces(FileChannel target) throws IOException {
    ByteBuffer piece = buffer();
    try {
      for (long at = next.getAndAdd(PIECE); at < size; at = next.getAndAdd(PIECE)) {
        long left = (size - at + BLOCK - 1) / BLOCK * BLOCK;
        part.fill(at, piece.clear().limit((int) Math.min(PIECE, left)));
        piece.flip();
        while (piece.hasRemaining()) {
          target.write(piece, at + piece.position());
        }
      }
    } finally {
      next.set(size);
    }
    return null;
  }

  /** As direct writing wants it: beginning at a multiple of a block. */
  private static ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(PIECE + BLOCK).alignedSlice(BLOCK).limit(PIECE).slice();
  }
}
