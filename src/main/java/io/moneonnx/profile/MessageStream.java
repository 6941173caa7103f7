package io.moneonnx.profile;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.proto.mone.ProfileBlock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Messages one after the other, each behind its length. They are mapped: what is {@code bytes} in
 * them stays in the file until it is read.
 *
 * @param file that they are read from, for messages to people
 * @param in the file, at the first message
 */
record MessageStream(Path file, FileChannel in) {
  private static final int MOST_OF_A_LENGTH = 5;
  private static final int PART = 1 << 16;

  /** The statistics of block {@code number} of {@code all}, counted from 1. */
  BlockStatistics block(int number, int all) throws IOException {
    try {
      return BlockMessage.read(
          next(ProfileBlock.parser(), "block %d of %d".formatted(number, all)));
    } catch (IllegalArgumentException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  /** The next message; says what is missing where the file is too short for it. */
  <M> M next(Parser<M> parser, String place) throws IOException {
    try {
      ByteBuffer message = mapped(place);
      CodedInputStream fields = UnsafeByteOperations.unsafeWrap(message).newCodedInput();
      fields.enableAliasing(true);
      M read = parser.parseFrom(fields);
      fields.checkLastTagWas(0);
      return read;
    } catch (InvalidProtocolBufferException e) {
      throw new BadInputException(
          "%s is damaged in %s (%s)".formatted(file, place, Reason.of(e)), e);
    }
  }

  private ByteBuffer mapped(String place) throws IOException {
    long at = in.position();
    byte[] first = new byte[(int) Math.min(MOST_OF_A_LENGTH, in.size() - at)];
    if (first.length == 0) {
      throw new BadInputException("%s ends before %s".formatted(file, place));
    }
    in.read(ByteBuffer.wrap(first), at);
    CodedInputStream number = CodedInputStream.newInstance(first);
    int length = number.readRawVarint32();
    long from = at + number.getTotalBytesRead();
    if (length < 0 || length > in.size() - from) {
      throw new BadInputException("%s is cut off in %s".formatted(file, place));
    }
    in.position(from + length);
    return in.map(MapMode.READ_ONLY, from, length);
  }

  /** The checksum of the file's first {@code bytes}. */
  byte[] checksum(long bytes) throws IOException {
    CRC32C sum = new CRC32C();
    ByteBuffer part = ByteBuffer.allocate(PART);
    long at = 0;
    while (at < bytes && in.read(part.clear().limit((int) Math.min(PART, bytes - at)), at) > 0) {
      at += part.flip().limit();
      sum.update(part);
    }
    return ByteBuffer.allocate(Long.BYTES).putLong(sum.getValue()).array();
  }

  /** What follows, {@code most} bytes of it at most. */
  byte[] rest(int most) throws IOException {
    byte[] rest = new byte[(int) Math.min(most, Math.max(0, in.size() - in.position()))];
    in.read(ByteBuffer.wrap(rest));
    return rest;
  }
}
