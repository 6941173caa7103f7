package io.moneonnx.io;

import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** A channel whose other end is a buffer. */
record MemoryChannel(ByteBuffer buffer) implements WritableByteChannel {
  @Override
  public int write(ByteBuffer source) {
    int written = source.remaining();
    buffer.put(source);
    return written;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() {}
}
