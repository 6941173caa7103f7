package io.moneonnx.io;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Where in a model file the raw bytes of the graph's initializers begin. Protobuf's parser does not
 * tell; a walk over the wire format does, which enters only the graph and its initializers and
 * skips all other fields.
 */
final class RawDataOffsets {
  private static final long UNKNOWN = -1;

  private final CodedInputStream in;
  private final List<Long> offsets = new ArrayList<>();

  private RawDataOffsets(CodedInputStream in) {
    this.in = in;
  }

  /** An offset for each initializer in the file's order, negative where it has no raw data. */
  static List<Long> of(CodedInputStream model) throws IOException {
    RawDataOffsets scan = new RawDataOffsets(model);
    scan.each(ModelProto.GRAPH_FIELD_NUMBER, scan::graph);
    return scan.offsets;
  }

  /** For {@code initializers} that have not been looked for. */
  static List<Long> unknown(int initializers) {
    return Collections.nCopies(initializers, UNKNOWN);
  }

  private void graph() throws IOException {
    nested(() -> each(GraphProto.INITIALIZER_FIELD_NUMBER, this::initializer));
  }

  private void initializer() throws IOException {
    offsets.add(UNKNOWN);
    nested(() -> each(TensorProto.RAW_DATA_FIELD_NUMBER, this::rawData));
  }

  private void rawData() throws IOException {
    int length = in.readRawVarint32();
    offsets.set(offsets.size() - 1, (long) in.getTotalBytesRead());
    in.skipRawBytes(length);
  }

  private void nested(Step step) throws IOException {
    int outer = in.pushLimit(in.readRawVarint32());
    step.run();
    in.popLimit(outer);
  }

  /** Runs {@code step} at each length-delimited field of this number in the current message. */
  private void each(int field, Step step) throws IOException {
    int wanted = field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == wanted) {
        step.run();
      } else {
        in.skipField(tag);
      }
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }
}
