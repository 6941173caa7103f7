package io.moneonnx.graph;

import java.nio.file.Path;

/** {@code length} bytes of {@code file} from {@code offset} on. */
public record FileRange(Path file, long offset, long length) {
  public FileRange {
    if (offset < 0 || length < 0) {
      throw new IllegalArgumentException(file + ": range " + offset + "+" + length);
    }
  }

  /** The part of this range that starts {@code from} bytes into it. */
  public FileRange part(long from, long bytes) {
    if (from < 0 || bytes < 0 || from + bytes > length) {
      throw new IllegalArgumentException(this + " has no part " + from + "+" + bytes);
    }
    return new FileRange(file, offset + from, bytes);
  }
}
