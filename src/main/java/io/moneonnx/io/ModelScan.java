package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.WireFormat;
import io.moneonnx.graph.FileRange;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Parses a model file without its weights. Protobuf would take every byte into the heap; this walk
 * over the wire format enters the graph and its initializers itself, skips big raw data, and notes
 * where that lies. Everything else is left to protobuf.
 */
final class ModelScan {
  private static final int BIG = 4096;

  private final Path file;
  private final CodedInputStream in;
  private final List<Optional<FileRange>> skipped = new ArrayList<>();

  /**
   * What is in a file.
   *
   * @param model the message without big raw data
   * @param skipped for each initializer of the graph, where its raw data is if it was left out
   */
  record Scanned(ModelProto model, List<Optional<FileRange>> skipped) {}

  private ModelScan(Path file, CodedInputStream in) {
    this.file = file;
    this.in = in;
  }

  static Scanned scan(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      CodedInputStream in = CodedInputStream.newInstance(Channels.newInputStream(channel));
      ModelScan scan = new ModelScan(file, in);
      return new Scanned(scan.model(), scan.skipped);
    }
  }

  private ModelProto model() throws IOException {
    ModelProto.Builder model = ModelProto.newBuilder();
    fields(model, ModelProto.GRAPH_FIELD_NUMBER, () -> graph(model.getGraphBuilder()));
    return model.build();
  }

  private void graph(GraphProto.Builder graph) throws IOException {
    int field = GraphProto.INITIALIZER_FIELD_NUMBER;
    nested(() -> fields(graph, field, () -> initializer(graph.addInitializerBuilder())));
  }

  private void initializer(TensorProto.Builder tensor) throws IOException {
    skipped.add(Optional.empty());
    nested(() -> fields(tensor, TensorProto.RAW_DATA_FIELD_NUMBER, () -> rawData(tensor)));
  }

  private void rawData(TensorProto.Builder tensor) throws IOException {
    int length = in.readRawVarint32();
    if (length < BIG) {
      tensor.setRawData(ByteString.copyFrom(in.readRawBytes(length)));
    } else {
      FileRange range = new FileRange(file, in.getTotalBytesRead(), length);
      skipped.set(skipped.size() - 1, Optional.of(range));
      in.skipRawBytes(length);
    }
  }

  private void nested(Step step) throws IOException {
    int outer = in.pushLimit(in.readRawVarint32());
    step.run();
    if (in.getBytesUntilLimit() != 0) {
      throw new InvalidProtocolBufferException("a message ends early");
    }
    in.popLimit(outer);
  }

  /** Reads the current message: fields of one number by {@code step}, all others as they are. */
  private void fields(Message.Builder message, int special, Step step) throws IOException {
    UnknownFieldSet.Builder others = UnknownFieldSet.newBuilder();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == (special << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
        step.run();
      } else if (!others.mergeFieldFrom(tag, in)) {
        throw new InvalidProtocolBufferException("a group ends that has not begun");
      }
    }
    message.mergeFrom(others.build().toByteString());
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }
}
