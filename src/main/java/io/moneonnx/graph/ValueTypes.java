package io.moneonnx.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The element types of a graph's values, inferred from what makes them: what a file declares of
 * intermediate values may be missing or stale.
 */
public final class ValueTypes {
  private final Map<String, ElementType> types = new HashMap<>();
  private final Function<String, Optional<ElementType>> outer;

  public ValueTypes(Graph graph) {
    this(graph, value -> Optional.empty());
  }

  private ValueTypes(Graph graph, Function<String, Optional<ElementType>> outer) {
    this.outer = outer;
    graph.inputs().forEach(this::infer);
    graph.initializers().values().forEach(this::infer);
    graph.nodes().forEach(this::infer);
  }

  /** The type of {@code value}; empty where an operator is not known and reads nothing typed. */
  public Optional<ElementType> of(String value) {
    ElementType type = types.get(value);
    return type == null ? outer.apply(value) : Optional.of(type);
  }

  /** Takes one more input. */
  public void infer(Value input) {
    input.type().ifPresent(type -> types.put(input.name(), type));
  }

  /** Takes one more constant. */
  public void infer(Initializer constant) {
    types.put(constant.name(), constant.tensor().type());
  }

  /** Takes one more node, whose inputs are known by now. */
  public void infer(Node node) {
    for (int index = 0; index < node.outputs().size(); index++) {
      Optional<ElementType> type = type(node, index);
      if (type.isPresent()) {
        types.put(node.outputs().get(index), type.get());
      }
    }
  }

  private Optional<ElementType> type(Node node, int index) {
    return switch (node.opType()) {
      case "Cast" -> ElementType.find((int) node.intAttribute("to", 0));
      case "Constant" -> ofConstant(node);
      case "ConstantOfShape" -> ofConstant(node).or(() -> Optional.of(ElementType.FLOAT));
      case "Shape", "Size", "NonZero", "ArgMax", "ArgMin" -> Optional.of(ElementType.INT64);
      case "TopK" -> index == 1 ? Optional.of(ElementType.INT64) : of(node.input(0));
      case "And", "Or", "Xor", "Not", "IsNaN", "IsInf" -> Optional.of(ElementType.BOOL);
      case "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual" ->
          Optional.of(ElementType.BOOL);
      case "Where", "CastLike", "DequantizeLinear" -> of(node.input(1));
      case "OneHot", "GatherBlockQuantized" -> of(node.input(2));
      case "MatMulInteger", "ConvInteger" -> Optional.of(ElementType.INT32);
      case "DynamicQuantizeLinear" ->
          Optional.of(index == 1 ? ElementType.FLOAT : ElementType.UINT8);
      case "QuantizeLinear" -> of(node.input(2)).or(() -> Optional.of(ElementType.UINT8));
      case "If" -> ofBody(node, "then_branch", index);
      case "Loop" -> ofBody(node, "body", index + 1);
      default -> node.inputs().stream().flatMap(input -> of(input).stream()).findFirst();
    };
  }

  private static Optional<ElementType> ofConstant(Node node) {
    return Graph.tensorOf(node).map(Tensor::type);
  }

  private Optional<ElementType> ofBody(Node node, String attribute, int output) {
    if (node.attributes().get(attribute) instanceof Attribute.OfGraph body) {
      List<Value> outputs = body.value().outputs();
      return output < outputs.size()
          ? new ValueTypes(body.value(), this::of).of(outputs.get(output).name())
          : Optional.empty();
    }
    return Optional.empty();
  }
}
