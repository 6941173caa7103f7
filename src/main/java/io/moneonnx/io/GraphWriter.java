package io.moneonnx.io;

import com.google.protobuf.ByteString;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.FunctionProto;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.TensorProto;
import java.util.List;
import java.util.Optional;

/** Turns the graph classes into protobuf's messages: the way back of {@link GraphReader}. */
final class GraphWriter {
  private final TensorSink elsewhere;

  /**
   * @param elsewhere takes the initializers that are not to be in the model itself
   */
  GraphWriter(TensorSink elsewhere) {
    this.elsewhere = elsewhere;
  }

  ModelMessage model(Model model) {
    ModelProto.Builder proto = UnknownFieldsCodec.into(ModelProto.newBuilder(), model.rest());
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
    model.functions().forEach(function -> proto.addFunctions(function(function)));
    return new ModelMessage(
        proto.build(), body(model.graph()).build(), initializers(model.graph()));
  }

  private FunctionProto.Builder function(Function function) {
    FunctionProto.Builder proto =
        UnknownFieldsCodec.into(FunctionProto.newBuilder(), function.rest());
    proto
        .setDomain(function.domain())
        .setName(function.name())
        .addAllInput(function.inputs())
        .addAllOutput(function.outputs())
        .addAllAttribute(function.attributes());
    if (!function.overload().isEmpty()) {
      proto.setOverload(function.overload());
    }
    function
        .defaults()
        .forEach((name, value) -> proto.addAttributeProto(attribute(value).setName(name)));
    function.nodes().forEach(node -> proto.addNode(node(node)));
    function
        .opsets()
        .forEach(
            (domain, version) ->
                proto.addOpsetImportBuilder().setDomain(domain).setVersion(version));
    return proto;
  }

  private GraphProto.Builder subgraph(Graph graph) {
    GraphProto.Builder proto = body(graph);
    initializers(graph).forEach(part -> proto.addInitializer(part.whole()));
    return proto;
  }

  private List<ModelMessage.Part> initializers(Graph graph) {
    return graph.initializers().values().stream().map(this::initializer).toList();
  }

  private ModelMessage.Part initializer(Initializer initializer) {
    Tensor tensor = initializer.tensor();
    TensorProto.Builder proto =
        describe(tensor, UnknownFieldsCodec.into(TensorProto.newBuilder(), initializer.rest()))
            .setName(initializer.name());
    return elsewhere.take(tensor, proto)
        ? new ModelMessage.Part(proto.build(), Optional.empty())
        : inside(tensor, proto);
  }

  /** A graph without its initializers. */
  private GraphProto.Builder body(Graph graph) {
    GraphProto.Builder proto = UnknownFieldsCodec.into(GraphProto.newBuilder(), graph.rest());
    proto.setName(graph.name());
    graph.nodes().forEach(node -> proto.addNode(node(node)));
    graph.inputs().forEach(input -> proto.addInput(ValueCodec.write(input)));
    graph.outputs().forEach(output -> proto.addOutput(ValueCodec.write(output)));
    graph.declared().values().forEach(value -> proto.addValueInfo(ValueCodec.write(value)));
    return proto;
  }

  private NodeProto.Builder node(Node node) {
    NodeProto.Builder proto = UnknownFieldsCodec.into(NodeProto.newBuilder(), node.rest());
    proto.setOpType(node.opType()).addAllInput(node.inputs()).addAllOutput(node.outputs());
    if (!node.name().isEmpty()) {
      proto.setName(node.name());
    }
    if (!node.overload().isEmpty()) {
      proto.setOverload(node.overload());
    }
    if (!node.domain().isEmpty()) {
      proto.setDomain(node.domain());
    }
    node.attributes()
        .forEach((name, attribute) -> proto.addAttribute(attribute(attribute).setName(name)));
    return proto;
  }

  private AttributeProto.Builder attribute(Attribute attribute) {
    AttributeProto.Builder proto = AttributeProto.newBuilder();
    if (attribute instanceof Attribute.OfInt number) {
      return proto.setType(AttributeType.INT).setI(number.value());
    } else if (attribute instanceof Attribute.OfFloat number) {
      return proto.setType(AttributeType.FLOAT).setF(number.value());
    } else if (attribute instanceof Attribute.OfText text) {
      return proto.setType(AttributeType.STRING).setS(ByteString.copyFromUtf8(text.value()));
    } else if (attribute instanceof Attribute.OfTensor tensor) {
      return proto.setType(AttributeType.TENSOR).setT(constant(tensor.value()));
    } else if (attribute instanceof Attribute.OfGraph graph) {
      return proto.setType(AttributeType.GRAPH).setG(subgraph(graph.value()));
    } else if (attribute instanceof Attribute.OfInts numbers) {
      return proto.setType(AttributeType.INTS).addAllInts(numbers.values());
    } else if (attribute instanceof Attribute.OfFloats numbers) {
      return proto.setType(AttributeType.FLOATS).addAllFloats(numbers.values());
    } else if (attribute instanceof Attribute.OfTexts texts) {
      proto.setType(AttributeType.STRINGS);
      texts.values().forEach(text -> proto.addStrings(ByteString.copyFromUtf8(text)));
      return proto;
    } else if (attribute instanceof Attribute.Reference reference) {
      return UnknownFieldsCodec.into(proto, reference.wire());
    }
    return UnknownFieldsCodec.into(proto, ((Attribute.Opaque) attribute).wire());
  }

  private static TensorProto constant(Tensor tensor) {
    return inside(tensor, describe(tensor, TensorProto.newBuilder())).whole();
  }

  private static ModelMessage.Part inside(Tensor tensor, TensorProto.Builder proto) {
    if (tensor instanceof Tensor.Strings strings) {
      strings.values().forEach(text -> proto.addStringData(ByteString.copyFrom(text.duplicate())));
      return new ModelMessage.Part(proto.build(), Optional.empty());
    }
    return new ModelMessage.Part(proto.build(), Optional.of(tensor));
  }

  private static TensorProto.Builder describe(Tensor tensor, TensorProto.Builder proto) {
    return proto.addAllDims(tensor.dims()).setDataType(tensor.type().code());
  }
}
