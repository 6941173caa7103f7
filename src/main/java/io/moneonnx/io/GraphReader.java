package io.moneonnx.io;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Attribute.OfTensor;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.FileRange;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.FunctionProto;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.OperatorSetIdProto;
import io.moneonnx.proto.onnx.SparseTensorProto;
import io.moneonnx.proto.onnx.TensorProto;
import io.moneonnx.proto.onnx.ValueInfoProto;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Turns protobuf's messages of one model file into the graph classes. */
final class GraphReader {
  /** Beyond what any operator set will be for long; versions are counted in integers. */
  private static final int LATEST_OPSET = 1_000_000;

  private final Path file;
  private final TensorReader tensors;
  private final SparseTensors sparse;

  /** The operator sets of the graph or function that is being read. */
  private Map<String, Long> opsets = Map.of();

  /** Types of the constants of the graph that is being read and of those around it. */
  private final Deque<Map<String, ElementType>> constants = new ArrayDeque<>();

  GraphReader(Path file, TensorReader tensors) {
    this.file = file;
    this.tensors = tensors;
    this.sparse = new SparseTensors(file, tensors);
  }

  /**
   * @param rawData for each of the graph's initializers, where its raw data is if it was left out
   */
  Model model(ModelProto proto, List<Optional<FileRange>> rawData) {
    Map<String, String> metadata = new LinkedHashMap<>();
    proto.getTrainingInfoList().forEach(training -> requireInside(training, "training info"));
    proto.getMetadataPropsList().forEach(entry -> metadata.put(entry.getKey(), entry.getValue()));
    opsets = opsets(proto.getOpsetImportList());
    return new Model(
        graph(proto.getGraph(), rawData),
        proto.getIrVersion(),
        opsets,
        metadata,
        proto.getFunctionsList().stream().map(this::function).toList(),
        UnknownFieldsCodec.of(
            proto.toBuilder()
                .clearGraph()
                .clearIrVersion()
                .clearOpsetImport()
                .clearMetadataProps()
                .clearFunctions()));
  }

  private Map<String, Long> opsets(List<OperatorSetIdProto> imports) {
    Map<String, Long> versions = new LinkedHashMap<>();
    for (OperatorSetIdProto opset : imports) {
      if (opset.getVersion() < 0 || opset.getVersion() > LATEST_OPSET) {
        throw bad(
            "operator set '%s' is of version %d, expected at most %d"
                .formatted(opset.getDomain(), opset.getVersion(), LATEST_OPSET));
      }
      versions.put(domain(opset.getDomain()), opset.getVersion());
    }
    return versions;
  }

  private Function function(FunctionProto proto) {
    opsets = opsets(proto.getOpsetImportList());
    Map<String, Attribute> defaults = new LinkedHashMap<>();
    for (AttributeProto attribute : proto.getAttributeProtoList()) {
      String what = "function '%s', attribute '%s'".formatted(proto.getName(), attribute.getName());
      defaults.put(attribute.getName(), attribute(attribute, what));
    }
    return new Function(
        domain(proto.getDomain()),
        proto.getName(),
        proto.getOverload(),
        proto.getInputList(),
        proto.getOutputList(),
        proto.getAttributeList(),
        defaults,
        nodes(proto.getNodeList(), new HashMap<>()),
        opsets,
        kept(
            proto.toBuilder()
                .clearDomain()
                .clearName()
                .clearOverload()
                .clearInput()
                .clearOutput()
                .clearAttribute()
                .clearAttributeProto()
                .clearNode()
                .clearOpsetImport(),
            "function '" + proto.getName() + "'"));
  }

  static String domain(String domain) {
    return domain.equals("ai.onnx") ? "" : domain;
  }

  private Graph graph(GraphProto proto, List<Optional<FileRange>> rawData) {
    Map<String, Value> declared = new LinkedHashMap<>();
    values(proto.getValueInfoList()).forEach(value -> declared.put(value.name(), value));
    Map<String, Initializer> initializers = initializers(proto, rawData);
    Map<String, ElementType> types = new HashMap<>();
    initializers.forEach((name, constant) -> types.put(name, constant.tensor().type()));
    return new Graph(
        proto.getName(),
        nodes(proto.getNodeList(), types),
        initializers,
        values(proto.getInputList()),
        values(proto.getOutputList()),
        declared,
        kept(
            proto.toBuilder()
                .clearName()
                .clearNode()
                .clearInitializer()
                .clearSparseInitializer()
                .clearInput()
                .clearOutput()
                .clearValueInfo(),
            "graph '" + proto.getName() + "'"));
  }

  private Map<String, Initializer> initializers(
      GraphProto graph, List<Optional<FileRange>> rawData) {
    Map<String, Initializer> initializers = new LinkedHashMap<>();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto proto = graph.getInitializer(i);
      String name = proto.getName();
      String what = "initializer '" + name + "'";
      Tensor tensor =
          rawData
              .get(i)
              .map(range -> tensors.read(proto, range, what))
              .orElseGet(() -> tensors.read(proto, what));
      put(initializers, new Initializer(name, tensor, TensorReader.rest(proto.toBuilder())));
    }
    for (SparseTensorProto proto : graph.getSparseInitializerList()) {
      String name = proto.getValues().getName();
      put(initializers, Initializer.of(name, sparse.dense(proto, "initializer '" + name + "'")));
    }
    return initializers;
  }

  private void put(Map<String, Initializer> initializers, Initializer initializer) {
    if (initializers.put(initializer.name(), initializer) != null) {
      throw bad("initializer '%s' is given twice".formatted(initializer.name()));
    }
  }

  private static List<Value> values(List<ValueInfoProto> protos) {
    return protos.stream().map(ValueCodec::read).toList();
  }

  /**
   * @param types those of the constants beside these nodes
   */
  private List<Node> nodes(List<NodeProto> protos, Map<String, ElementType> types) {
    constants.push(types);
    Set<String> made = new HashSet<>();
    List<Node> nodes = new ArrayList<>(protos.size());
    for (NodeProto proto : protos) {
      for (String output : proto.getOutputList()) {
        if (!output.isEmpty() && !made.add(output)) {
          throw bad("value '" + output + "' is made by two nodes");
        }
      }
      OperatorSchemas.check(proto, file + ": " + label(proto), opsets, this::constantType);
      Node node = node(proto);
      if (node.is("Constant") && node.attributes().get("value") instanceof OfTensor constant) {
        types.put(node.output(), constant.value().type());
      }
      nodes.add(node);
    }
    constants.pop();
    return nodes;
  }

  private Optional<ElementType> constantType(String name) {
    return constants.stream().map(types -> types.get(name)).filter(Objects::nonNull).findFirst();
  }

  private Node node(NodeProto proto) {
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    for (AttributeProto attribute : proto.getAttributeList()) {
      String what = label(proto) + ", attribute '" + attribute.getName() + "'";
      if (isSparseConstant(proto, attribute)) {
        attributes.put(
            "value", new Attribute.OfTensor(sparse.dense(attribute.getSparseTensor(), what)));
      } else if (attributes.put(attribute.getName(), attribute(attribute, what)) != null) {
        throw bad(what + " is given twice");
      }
    }
    return new Node(
        proto.getOpType(),
        proto.getDomain(),
        proto.getOverload(),
        proto.getName(),
        proto.getInputList(),
        proto.getOutputList(),
        attributes,
        UnknownFieldsCodec.of(
            proto.toBuilder()
                .clearOpType()
                .clearDomain()
                .clearOverload()
                .clearName()
                .clearInput()
                .clearOutput()
                .clearAttribute()));
  }

  private static boolean isSparseConstant(NodeProto node, AttributeProto attribute) {
    return node.getOpType().equals("Constant")
        && domain(node.getDomain()).isEmpty()
        && attribute.getName().equals("sparse_value")
        && attribute.hasSparseTensor();
  }

  private static String label(NodeProto node) {
    return node.getName().isEmpty()
        ? "node " + node.getOpType() + " -> " + String.join(", ", node.getOutputList())
        : "node '" + node.getName() + "'";
  }

  private Attribute attribute(AttributeProto proto, String what) {
    if (!proto.getRefAttrName().isEmpty()) {
      return new Attribute.Reference(proto.getRefAttrName(), kept(proto.toBuilder(), what));
    } else if (!isPlain(proto)) {
      return new Attribute.Opaque(kept(proto.toBuilder(), what));
    }
    return switch (proto.getType()) {
      case FLOAT -> new Attribute.OfFloat(proto.getF());
      case INT -> new Attribute.OfInt(proto.getI());
      case STRING -> new Attribute.OfText(proto.getS().toStringUtf8());
      case TENSOR -> new Attribute.OfTensor(tensors.read(proto.getT(), what));
      case GRAPH -> new Attribute.OfGraph(subgraph(proto.getG()));
      case FLOATS -> new Attribute.OfFloats(proto.getFloatsList());
      case INTS -> new Attribute.OfInts(proto.getIntsList());
      case STRINGS ->
          new Attribute.OfTexts(
              proto.getStringsList().stream().map(ByteString::toStringUtf8).toList());
      default -> throw new IllegalStateException(what + " is of type " + proto.getType());
    };
  }

  /** True if a value of a common kind is all that an attribute says, besides documentation. */
  private static boolean isPlain(AttributeProto proto) {
    AttributeProto.Builder rest = proto.toBuilder().clearName().clearType().clearDocString();
    return clearValue(rest, proto.getType())
        && UnknownFieldsCodec.of(rest).isEmpty()
        && TensorReader.rest(proto.getT().toBuilder().clearDocString()).isEmpty()
        && proto.getS().isValidUtf8()
        && proto.getStringsList().stream().allMatch(ByteString::isValidUtf8);
  }

  /** False for a value of a kind that the graph classes do not hold. */
  private static boolean clearValue(AttributeProto.Builder attribute, AttributeType type) {
    switch (type) {
      case FLOAT -> attribute.clearF();
      case INT -> attribute.clearI();
      case STRING -> attribute.clearS();
      case TENSOR -> attribute.clearT();
      case GRAPH -> attribute.clearG();
      case FLOATS -> attribute.clearFloats();
      case INTS -> attribute.clearInts();
      case STRINGS -> attribute.clearStrings();
      default -> {
        return false;
      }
    }
    return true;
  }

  private Graph subgraph(GraphProto proto) {
    return graph(proto, Collections.nCopies(proto.getInitializerCount(), Optional.empty()));
  }

  /** Fields to keep unread, unless they could not be moved to another folder. */
  private UnknownFields kept(Message.Builder cleared, String what) {
    UnknownFields kept = UnknownFieldsCodec.of(cleared);
    if (!kept.isEmpty()) {
      requireInside(cleared.buildPartial(), what);
    }
    return kept;
  }

  private void requireInside(Message message, String what) {
    if (ExternalData.isIn(message)) {
      throw bad(what + ": external data is supported in initializers and constants only");
    }
  }

  private BadInputException bad(String found) {
    return new BadInputException(file + ": " + found);
  }
}
