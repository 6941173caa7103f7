package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model that is about to be written: protobuf's message without the graph's initializers, and
 * these, whose elements stay where they are until they are copied. The order of fields is free, so
 * the graph comes last in the model and its initializers last in the graph; a file that is cut
 * short never parses then.
 */
record ModelMessage(ModelProto model, GraphProto graph, List<Part> initializers) {
  private static final int GRAPH = ModelProto.GRAPH_FIELD_NUMBER;
  private static final int INITIALIZER = GraphProto.INITIALIZER_FIELD_NUMBER;
  private static final int RAW_DATA = TensorProto.RAW_DATA_FIELD_NUMBER;
  private static final int BUFFER = 1 << 16;

  /**
   * One tensor.
   *
   * @param proto its message without raw data
   * @param rawData the tensor whose elements become the raw data; empty if they are elsewhere
   */
  record Part(TensorProto proto, Optional<Tensor> rawData) {
    long size() {
      long data = rawData.map(Tensor::byteSize).map(size -> field(RAW_DATA, size)).orElse(0L);
      return proto.getSerializedSize() + data;
    }

    /** The same, its elements off the heap, and put into {@code apart} by its name. */
    private Part apart(Map<String, Tensor> apart) {
      Tensor elements = rawData.orElseThrow();
      apart.put(
          proto.getName(),
          elements.isOffHeap()
              ? elements
              : new Tensor.Inline(elements.type(), elements.dims(), elements.bytes()).offHeap());
      TensorProto.Builder described = proto.toBuilder();
      ExternalData.describe(described, InMemory.LOCATION, 0, elements.byteSize());
      return new Part(described.build(), Optional.empty());
    }

    /** The whole tensor as one message in memory. */
    TensorProto whole() {
      TensorProto.Builder whole = proto.toBuilder();
      rawData.ifPresent(data -> whole.setRawData(ByteString.copyFrom(data.bytes())));
      return whole.build();
    }

    private void write(CodedOutputStream out, WritableByteChannel target, SourceFiles sources)
        throws IOException {
      begin(out, INITIALIZER, size());
      proto.writeTo(out);
      if (rawData.isPresent()) {
        begin(out, RAW_DATA, rawData.get().byteSize());
        out.flush();
        sources.copy(rawData.get(), target);
      }
    }
  }

  /**
   * The same without the elements of some initializers, which are put into {@code apart}.
   *
   * @param least bytes of those that are not off the heap yet
   */
  ModelMessage without(long least, Map<String, Tensor> apart) {
    List<Part> rest =
        initializers.stream()
            .map(
                part ->
                    part.rawData()
                            .filter(data -> data.isOffHeap() || data.byteSize() >= least)
                            .isPresent()
                        ? part.apart(apart)
                        : part)
            .toList();
    return new ModelMessage(model, graph, rest);
  }

  /** Bytes of the whole message. */
  long size() {
    return model.getSerializedSize() + field(GRAPH, graphSize());
  }

  /**
   * Throws {@link BadInputException} if the message is bigger than protobuf can count.
   *
   * @param name what messages call the model
   */
  void checkSize(String name) {
    if (size() > Integer.MAX_VALUE) {
      throw new BadInputException(
          "%s: would have %d bytes; an ONNX file has at most %d, and its weights in a data file"
              .formatted(name, size(), Integer.MAX_VALUE));
    }
  }

  private long graphSize() {
    return graph.getSerializedSize()
        + initializers.stream().mapToLong(part -> field(INITIALIZER, part.size())).sum();
  }

  void write(WritableByteChannel target, SourceFiles sources) throws IOException {
    CodedOutputStream out = CodedOutputStream.newInstance(Channels.newOutputStream(target), BUFFER);
    model.writeTo(out);
    begin(out, GRAPH, graphSize());
    graph.writeTo(out);
    for (Part initializer : initializers) {
      initializer.write(out, target, sources);
    }
    out.flush();
  }

  private static void begin(CodedOutputStream out, int field, long length) throws IOException {
    out.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt64NoTag(length);
  }

  /** Bytes of a field of {@code length} bytes, with its tag and its length. */
  private static long field(int number, long length) {
    return CodedOutputStream.computeTagSize(number)
        + CodedOutputStream.computeUInt64SizeNoTag(length)
        + length;
  }
}
