package io.moneonnx.graph;

import java.nio.ByteBuffer;

/**
 * Fields of the file that this program does not read, in wire form, kept so that they survive a
 * round trip. Only package {@code io} looks inside.
 */
public record UnknownFields(ByteBuffer bytes) {
  public static final UnknownFields NONE = new UnknownFields(ByteBuffer.allocate(0));

  public UnknownFields {
    bytes = bytes.asReadOnlyBuffer();
  }

  @Override
  public ByteBuffer bytes() {
    return bytes.duplicate();
  }

  public boolean isEmpty() {
    return !bytes.hasRemaining();
  }
}
