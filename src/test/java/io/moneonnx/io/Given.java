package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.StringStringEntryProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small models to begin with. */
final class Given {
  /** A field that no version of ONNX has. */
  static final UnknownFieldSet UNKNOWN =
      UnknownFieldSet.newBuilder()
          .addField(
              987,
              UnknownFieldSet.Field.newBuilder()
                  .addLengthDelimited(ByteString.copyFromUtf8("kept"))
                  .build())
          .build();

  private Given() {}

  static Model model(String text) {
    return model(GraphText.parse(text));
  }

  static Model model(Graph graph) {
    return new Model(graph, 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
  }

  /** {@code y = Identity(w)}, where {@code w} is this tensor. */
  static Model holding(Tensor tensor) {
    Graph identity = GraphText.parse("g () => (float[...] y) { y = Identity (w) }");
    return model(withInitializer(identity, "w", tensor));
  }

  static Graph withInitializer(Graph graph, String name, Tensor tensor) {
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.put(name, Initializer.of(name, tensor));
    return new Graph(
        graph.name(),
        graph.nodes(),
        initializers,
        graph.inputs(),
        graph.outputs(),
        graph.declared(),
        graph.rest());
  }

  /** The float32 vector 0, 1, 2, ... of this size. */
  static Tensor.Inline counting(int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = i;
    }
    return Tensor.of(List.of((long) size), values);
  }

  /** {@code y = Identity(w)} as a message. */
  static ModelProto.Builder message(TensorProto.Builder w) {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("g")
            .addNode(NodeProto.newBuilder().setOpType("Identity").addInput("w").addOutput("y"))
            .addInitializer(w.setName("w"));
    graph.addOutputBuilder().setName("y");
    ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(8).setGraph(graph);
    model.addOpsetImportBuilder().setVersion(17);
    return model;
  }

  /** A tensor of these type and dims without elements yet. */
  static TensorProto.Builder tensor(TensorProto.DataType type, long... dims) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setDataType(type.getNumber());
    for (long dim : dims) {
      tensor.addDims(dim);
    }
    return tensor;
  }

  /** A float32 vector of this size, with these entries of external data: key, value, ... */
  static TensorProto.Builder external(long size, String... entries) {
    List<StringStringEntryProto> data = new ArrayList<>();
    for (int i = 0; i < entries.length; i += 2) {
      data.add(
          StringStringEntryProto.newBuilder().setKey(entries[i]).setValue(entries[i + 1]).build());
    }
    return tensor(TensorProto.DataType.FLOAT, size)
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addAllExternalData(data);
  }

  static Path file(Path folder, ModelProto.Builder model) throws IOException {
    return Files.write(folder.resolve("model.onnx"), model.build().toByteArray());
  }
}
