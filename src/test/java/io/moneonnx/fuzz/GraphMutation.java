package io.moneonnx.fuzz;

import com.google.protobuf.ByteString;
import io.moneonnx.proto.onnx.AttributeProto;
import io.moneonnx.proto.onnx.AttributeProto.AttributeType;
import io.moneonnx.proto.onnx.FunctionProto;
import io.moneonnx.proto.onnx.GraphProto;
import io.moneonnx.proto.onnx.ModelProto;
import io.moneonnx.proto.onnx.NodeProto;
import io.moneonnx.proto.onnx.TensorProto;
import io.moneonnx.proto.onnx.TensorShapeProto;
import io.moneonnx.proto.onnx.TypeProto;
import io.moneonnx.proto.onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/**
 * Edits of a model as a graph: wires, operators, attributes, shapes, weights. It works on the
 * message and shares no code with the program.
 */
final class GraphMutation {
  private static final List<String> OPERATORS =
      List.of(
          "Add",
          "Mul",
          "Sub",
          "Div",
          "MatMul",
          "Gemm",
          "Relu",
          "Tanh",
          "Sigmoid",
          "Softmax",
          "TopK",
          "Gather",
          "GatherND",
          "ScatterND",
          "ScatterElements",
          "Where",
          "Equal",
          "NonZero",
          "OneHot",
          "Cast",
          "Reshape",
          "Transpose",
          "Squeeze",
          "Unsqueeze",
          "Concat",
          "Split",
          "Slice",
          "Expand",
          "Shape",
          "ConstantOfShape",
          "Identity",
          "ReduceSum",
          "If",
          "Loop",
          "Constant",
          "Range",
          "CumSum",
          "DequantizeLinear",
          "MatMulNBits",
          "MoE",
          "QMoE");

  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    3,
    4,
    5,
    7,
    8,
    64,
    -2,
    1000,
    1L << 31,
    -(1L << 31),
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Integer.MAX_VALUE
  };

  private final ModelProto.Builder model;
  private final IntUnaryOperator below;

  /** Where nodes lie: the graph, bodies in it, functions. */
  private final List<GraphProto.Builder> graphs = new ArrayList<>();

  private final List<FunctionProto.Builder> functions = new ArrayList<>();

  private GraphMutation(ModelProto.Builder model, IntUnaryOperator below) {
    this.model = model;
    this.below = below;
    addGraph(model.getGraphBuilder());
    for (FunctionProto.Builder function : model.getFunctionsBuilderList()) {
      functions.add(function);
      function.getNodeBuilderList().forEach(this::addBodies);
    }
  }

  /**
   * A model with some edits.
   *
   * @param below a number from 0 to below its argument
   */
  static ModelProto of(ModelProto seed, int edits, IntUnaryOperator below) {
    ModelProto.Builder model = seed.toBuilder();
    for (int i = 0; i < edits; i++) {
      new GraphMutation(model, below).edit();
    }
    return model.build();
  }

  private void addGraph(GraphProto.Builder graph) {
    graphs.add(graph);
    graph.getNodeBuilderList().forEach(this::addBodies);
  }

  private void addBodies(NodeProto.Builder node) {
    for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
      if (attribute.hasG()) {
        addGraph(attribute.getGBuilder());
      }
    }
  }

  private void edit() {
    List<Runnable> edits =
        List.of(
            this::rewire,
            this::rewire,
            this::renameOutput,
            this::changeOperator,
            this::changeAttribute,
            this::changeAttribute,
            this::moveAttribute,
            this::changeShape,
            this::changeValues,
            this::swapWeights,
            this::moveNode,
            this::copyNode,
            this::removeNode,
            this::insertNode,
            this::changeDeclaration,
            this::changeInterface,
            this::changeVersion);
    edits.get(below.applyAsInt(edits.size())).run();
  }

  private <T> T one(List<T> of) {
    return of.get(below.applyAsInt(of.size()));
  }

  private long number() {
    return NUMBERS[below.applyAsInt(NUMBERS.length)];
  }

  private List<NodeProto.Builder> nodes() {
    List<NodeProto.Builder> nodes = new ArrayList<>();
    graphs.forEach(graph -> nodes.addAll(graph.getNodeBuilderList()));
    functions.forEach(function -> nodes.addAll(function.getNodeBuilderList()));
    return nodes;
  }

  private List<AttributeProto.Builder> attributes() {
    List<AttributeProto.Builder> attributes = new ArrayList<>();
    nodes().forEach(node -> attributes.addAll(node.getAttributeBuilderList()));
    return attributes;
  }

  private List<TensorProto.Builder> tensors() {
    List<TensorProto.Builder> tensors = new ArrayList<>();
    graphs.forEach(graph -> tensors.addAll(graph.getInitializerBuilderList()));
    attributes().stream()
        .filter(AttributeProto.Builder::hasT)
        .forEach(attribute -> tensors.add(attribute.getTBuilder()));
    return tensors;
  }

  private List<String> names() {
    Set<String> names = new LinkedHashSet<>();
    for (GraphProto.Builder graph : graphs) {
      graph.getInputList().forEach(input -> names.add(input.getName()));
      graph.getInitializerList().forEach(tensor -> names.add(tensor.getName()));
    }
    nodes().forEach(node -> names.addAll(node.getOutputList()));
    names.add("");
    return List.copyOf(names);
  }

  private void rewire() {
    List<NodeProto.Builder> nodes =
        nodes().stream().filter(node -> node.getInputCount() > 0).toList();
    if (!nodes.isEmpty()) {
      NodeProto.Builder node = one(nodes);
      node.setInput(below.applyAsInt(node.getInputCount()), one(names()));
    }
  }

  private void renameOutput() {
    List<NodeProto.Builder> nodes =
        nodes().stream().filter(node -> node.getOutputCount() > 0).toList();
    if (!nodes.isEmpty()) {
      NodeProto.Builder node = one(nodes);
      String name = below.applyAsInt(2) == 0 ? one(names()) : "fresh";
      node.setOutput(below.applyAsInt(node.getOutputCount()), name);
    }
  }

  private void changeOperator() {
    List<NodeProto.Builder> nodes = nodes();
    if (!nodes.isEmpty()) {
      one(nodes).setOpType(one(OPERATORS));
    }
  }

  private void changeAttribute() {
    List<AttributeProto.Builder> attributes = attributes();
    if (attributes.isEmpty()) {
      return;
    }
    AttributeProto.Builder attribute = one(attributes);
    switch (below.applyAsInt(6)) {
      case 0 -> attribute.setType(one(List.of(AttributeType.values()).subList(0, 11)));
      case 1 -> attribute.setName(one(List.of("axis", "axes", "perm", "to", "k", "value")));
      default -> {
        switch (attribute.getType()) {
          case INT -> attribute.setI(number());
          case FLOAT -> attribute.setF(one(List.of(0f, -1f, Float.NaN, 1e38f)));
          case STRING -> attribute.setS(ByteString.copyFrom(new byte[] {0, (byte) 0xff, 'a'}));
          case INTS -> {
            if (attribute.getIntsCount() > 0 && below.applyAsInt(3) > 0) {
              attribute.setInts(below.applyAsInt(attribute.getIntsCount()), number());
            } else {
              attribute.addInts(number());
            }
          }
          case GRAPH -> attribute.setG(model.getGraph());
          default -> attribute.clearT();
        }
      }
    }
  }

  /** One goes, or a copy goes to another node. */
  private void moveAttribute() {
    List<NodeProto.Builder> nodes = nodes();
    List<NodeProto.Builder> full =
        nodes.stream().filter(node -> node.getAttributeCount() > 0).toList();
    if (!full.isEmpty()) {
      NodeProto.Builder from = one(full);
      int place = below.applyAsInt(from.getAttributeCount());
      if (below.applyAsInt(2) == 0) {
        from.removeAttribute(place);
      } else {
        one(nodes).addAttribute(from.getAttribute(place));
      }
    }
  }

  private void changeShape() {
    List<TensorProto.Builder> tensors = tensors();
    if (tensors.isEmpty()) {
      return;
    }
    TensorProto.Builder tensor = one(tensors);
    int dims = tensor.getDimsCount();
    switch (below.applyAsInt(4)) {
      case 0 -> tensor.addDims(1);
      case 1 -> {
        if (dims > 1) {
          long first = tensor.getDims(0);
          tensor.setDims(0, tensor.getDims(dims - 1)).setDims(dims - 1, first);
        }
      }
      case 2 -> tensor.setDataType(below.applyAsInt(24));
      default -> {
        if (dims > 0) {
          tensor.setDims(below.applyAsInt(dims), number());
        }
      }
    }
  }

  private void changeValues() {
    List<TensorProto.Builder> tensors = tensors();
    if (tensors.isEmpty()) {
      return;
    }
    TensorProto.Builder tensor = one(tensors);
    byte[] raw = tensor.getRawData().toByteArray();
    if (tensor.getInt64DataCount() > 0) {
      tensor.setInt64Data(below.applyAsInt(tensor.getInt64DataCount()), number());
    } else if (tensor.getFloatDataCount() > 0) {
      tensor.setFloatData(below.applyAsInt(tensor.getFloatDataCount()), (float) number());
    } else if (raw.length > 0 && below.applyAsInt(4) > 0) {
      raw[below.applyAsInt(raw.length)] = (byte) number();
      tensor.setRawData(ByteString.copyFrom(raw));
    } else if (raw.length > 0) {
      tensor.setRawData(tensor.getRawData().substring(below.applyAsInt(raw.length)));
    }
  }

  private void swapWeights() {
    List<GraphProto.Builder> full =
        graphs.stream().filter(graph -> graph.getInitializerCount() > 0).toList();
    if (!full.isEmpty()) {
      GraphProto.Builder graph = one(full);
      TensorProto.Builder first = one(graph.getInitializerBuilderList());
      TensorProto.Builder second = one(graph.getInitializerBuilderList());
      String name = first.getName();
      first.setName(second.getName());
      second.setName(name);
    }
  }

  private GraphProto.Builder graphWithNodes() {
    List<GraphProto.Builder> full =
        graphs.stream().filter(graph -> graph.getNodeCount() > 0).toList();
    return full.isEmpty() ? GraphProto.newBuilder().addNode(NodeProto.newBuilder()) : one(full);
  }

  private void moveNode() {
    GraphProto.Builder graph = graphWithNodes();
    int place = below.applyAsInt(graph.getNodeCount());
    NodeProto node = graph.getNode(place);
    graph.removeNode(place).addNode(below.applyAsInt(graph.getNodeCount() + 1), node);
  }

  private void copyNode() {
    GraphProto.Builder graph = graphWithNodes();
    int place = below.applyAsInt(graph.getNodeCount());
    NodeProto.Builder copy = graph.getNode(place).toBuilder();
    for (int i = 0; i < copy.getOutputCount(); i++) {
      copy.setOutput(i, copy.getOutput(i) + "_copy");
    }
    graph.addNode(place, copy);
  }

  private void removeNode() {
    GraphProto.Builder graph = graphWithNodes();
    graph.removeNode(below.applyAsInt(graph.getNodeCount()));
  }

  /** A node of one input before one input of another. */
  private void insertNode() {
    GraphProto.Builder graph = graphWithNodes();
    int place = below.applyAsInt(graph.getNodeCount());
    NodeProto.Builder reader = graph.getNodeBuilder(place);
    if (reader.getInputCount() > 0) {
      int input = below.applyAsInt(reader.getInputCount());
      String made = "inserted" + graph.getNodeCount();
      NodeProto.Builder node =
          NodeProto.newBuilder()
              .setOpType(one(List.of("Identity", "Neg", "Relu", "Shape", "Cast", "Transpose")))
              .addInput(reader.getInput(input))
              .addOutput(made);
      reader.setInput(input, made);
      graph.addNode(place, node);
    }
  }

  /** What a graph declares of an input, an output or a value in between. */
  private void changeDeclaration() {
    GraphProto.Builder graph = one(graphs);
    List<ValueInfoProto.Builder> values = new ArrayList<>(graph.getInputBuilderList());
    values.addAll(graph.getOutputBuilderList());
    values.addAll(graph.getValueInfoBuilderList());
    if (values.isEmpty()) {
      return;
    }
    ValueInfoProto.Builder value = one(values);
    TypeProto.Tensor.Builder type = value.getTypeBuilder().getTensorTypeBuilder();
    switch (below.applyAsInt(5)) {
      case 0 -> value.setName(one(names()));
      case 1 -> value.clearType();
      case 2 -> type.setElemType(below.applyAsInt(24));
      case 3 -> type.getShapeBuilder().addDim(TensorShapeProto.Dimension.newBuilder());
      default -> {
        if (type.getShape().getDimCount() > 0) {
          int place = below.applyAsInt(type.getShape().getDimCount());
          type.getShapeBuilder().getDimBuilder(place).setDimValue(number());
        }
      }
    }
  }

  private void changeInterface() {
    GraphProto.Builder graph = one(graphs);
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(one(names()));
    switch (below.applyAsInt(4)) {
      case 0 -> graph.addInput(value);
      case 1 -> graph.addOutput(value);
      case 2 -> {
        if (graph.getInputCount() > 0) {
          graph.removeInput(below.applyAsInt(graph.getInputCount()));
        }
      }
      default -> {
        if (graph.getOutputCount() > 0) {
          graph.removeOutput(below.applyAsInt(graph.getOutputCount()));
        }
      }
    }
  }

  private void changeVersion() {
    if (below.applyAsInt(2) == 0) {
      model.setIrVersion(number());
    } else if (model.getOpsetImportCount() > 0) {
      model
          .getOpsetImportBuilder(below.applyAsInt(model.getOpsetImportCount()))
          .setVersion(number());
    }
  }
}
