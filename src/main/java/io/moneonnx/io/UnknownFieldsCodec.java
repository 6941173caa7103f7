package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.moneonnx.graph.UnknownFields;

/** The fields of a protobuf message that the graph classes do not hold, kept in wire form. */
final class UnknownFieldsCodec {
  private UnknownFieldsCodec() {}

  /** What is left of a message whose known fields have been cleared. */
  static UnknownFields of(Message.Builder cleared) {
    ByteString left = cleared.buildPartial().toByteString();
    return left.isEmpty() ? UnknownFields.NONE : new UnknownFields(left.asReadOnlyByteBuffer());
  }

  /** Puts those fields back; the known ones are set after it. */
  static <B extends Message.Builder> B into(B builder, UnknownFields rest) {
    try {
      builder.mergeFrom(ByteString.copyFrom(rest.bytes()));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("what was left of a message is no message", e);
    }
    return builder;
  }
}
