package io.moneonnx.run;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Bytes outside the heap, where native code can read them. */
final class DirectBytes {
  private DirectBytes() {}

  /** {@code bytes} themselves if they are direct, otherwise a copy. */
  static ByteBuffer of(ByteBuffer bytes) {
    if (bytes.isDirect()) {
      return bytes;
    }
    return ByteBuffer.allocateDirect(bytes.remaining())
        .order(ByteOrder.nativeOrder())
        .put(bytes)
        .flip();
  }
}
