package io.moneonnx.profile;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Reason;
import io.moneonnx.proto.mone.ProfileBlock;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * Messages one after the other, each behind its length.
 *
 * @param file that they are read from, for messages to people
 */
record MessageStream(Path file, InputStream in) {
  /** The statistics of block {@code number} of {@code all}, counted from 1. */
  BlockStatistics block(int number, int all) throws IOException {
    try {
      return BlockMessage.read(
          next(ProfileBlock.parser(), "block %d of %d".formatted(number, all)));
    } catch (IllegalArgumentException e) {
      throw new BadInputException(file + ": " + e.getMessage(), e);
    }
  }

  /** Counts the bytes itself: protobuf takes a stream that ends early for a shorter message. */
  <M> M next(Parser<M> parser, String place) throws IOException {
    int first = in.read();
    if (first < 0) {
      throw new BadInputException("%s ends before %s".formatted(file, place));
    }
    try {
      int length = CodedInputStream.readRawVarint32(first, in);
      byte[] message = in.readNBytes(Math.max(length, 0));
      if (message.length == length) {
        return parser.parseFrom(message);
      }
    } catch (InvalidProtocolBufferException e) {
      throw new BadInputException(
          "%s is damaged in %s (%s)".formatted(file, place, Reason.of(e)), e);
    }
    throw new BadInputException("%s is cut off in %s".formatted(file, place));
  }
}
