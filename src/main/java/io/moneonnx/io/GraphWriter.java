package io.moneonnx.io;

import com.google.protobuf.ByteString;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.io.IOException;
import java.util.Map;

/** Turns the graph classes into protobuf's messages: the way back of {@link GraphReader}. */
final class GraphWriter {
  private final TensorSink initializers;
  private final TensorSink constants;

  /**
   * @param initializers where the elements of initializers go
   * @param constants where those of tensors in attributes go
   */
  GraphWriter(TensorSink initializers, TensorSink constants) {
    this.initializers = initializers;
    this.constants = constants;
  }

  ModelProto model(Model model) throws IOException {
    ModelProto.Builder proto = Rest.into(ModelProto.newBuilder(), model.rest());
    if (model.irVersion() != 0) {
      proto.setIrVersion(model.irVersion());
    }
    model
        .opsets()
        .forEach(
            (domain, version) ->
                proto.addOpsetImportBuilder().setDomain(domain).setVersion(version));
    model
        .metadata()
        .forEach((key, value) -> proto.addMetadataPropsBuilder().setKey(key).setValue(value));
    return proto.setGraph(graph(model.graph())).build();
  }

  private GraphProto.Builder graph(Graph graph) throws IOException {
    GraphProto.Builder proto = Rest.into(GraphProto.newBuilder(), graph.rest());
    proto.setName(graph.name());
    for (Node node : graph.nodes()) {
      proto.addNode(node(node));
    }
    for (Initializer initializer : graph.initializers().values()) {
      TensorProto.Builder tensor = Rest.into(TensorProto.newBuilder(), initializer.rest());
      proto.addInitializer(
          tensor(initializer.tensor(), tensor.setName(initializer.name()), initializers));
    }
    for (Value input : graph.inputs()) {
      proto.addInput(ValueCodec.write(input));
    }
    for (Value output : graph.outputs()) {
      proto.addOutput(ValueCodec.write(output));
    }
    for (Value declared : graph.declared().values()) {
      proto.addValueInfo(ValueCodec.write(declared));
    }
    return proto;
  }

  private NodeProto.Builder node(Node node) throws IOException {
    NodeProto.Builder proto = Rest.into(NodeProto.newBuilder(), node.rest());
    proto.setOpType(node.opType()).addAllInput(node.inputs()).addAllOutput(node.outputs());
    if (!node.name().isEmpty()) {
      proto.setName(node.name());
    }
    if (!node.domain().isEmpty()) {
      proto.setDomain(node.domain());
    }
    for (Map.Entry<String, Attribute> attribute : node.attributes().entrySet()) {
      proto.addAttribute(attribute(attribute.getValue()).setName(attribute.getKey()));
    }
    return proto;
  }

  private AttributeProto.Builder attribute(Attribute attribute) throws IOException {
    AttributeProto.Builder proto = AttributeProto.newBuilder();
    if (attribute instanceof Attribute.OfInt number) {
      return proto.setType(AttributeType.INT).setI(number.value());
    } else if (attribute instanceof Attribute.OfFloat number) {
      return proto.setType(AttributeType.FLOAT).setF(number.value());
    } else if (attribute instanceof Attribute.OfText text) {
      return proto.setType(AttributeType.STRING).setS(ByteString.copyFromUtf8(text.value()));
    } else if (attribute instanceof Attribute.OfTensor tensor) {
      return proto
          .setType(AttributeType.TENSOR)
          .setT(tensor(tensor.value(), TensorProto.newBuilder(), constants));
    } else if (attribute instanceof Attribute.OfGraph graph) {
      return proto.setType(AttributeType.GRAPH).setG(graph(graph.value()));
    } else if (attribute instanceof Attribute.OfInts numbers) {
      return proto.setType(AttributeType.INTS).addAllInts(numbers.values());
    } else if (attribute instanceof Attribute.OfFloats numbers) {
      return proto.setType(AttributeType.FLOATS).addAllFloats(numbers.values());
    } else if (attribute instanceof Attribute.OfTexts texts) {
      proto.setType(AttributeType.STRINGS);
      texts.values().forEach(text -> proto.addStrings(ByteString.copyFromUtf8(text)));
      return proto;
    }
    return Rest.into(proto, ((Attribute.Opaque) attribute).wire());
  }

  private static TensorProto.Builder tensor(
      Tensor tensor, TensorProto.Builder proto, TensorSink sink) throws IOException {
    proto.addAllDims(tensor.dims()).setDataType(tensor.type().code());
    sink.put(tensor, proto);
    return proto;
  }
}
