package io.moneonnx.moe;

import io.moneonnx.graph.Node;
import java.util.Set;

/** The operators that lie between a router's projection and the routing weights of its experts. */
final class RouterOperators {
  private static final Set<String> OPERATORS =
      Set.of(
          "Abs",
          "Add",
          "And",
          "ArgMax",
          "Cast",
          "CastLike",
          "Clip",
          "Concat",
          "ConstantOfShape",
          "DequantizeLinear",
          "Div",
          "Equal",
          "Exp",
          "Expand",
          "Flatten",
          "Gather",
          "GatherElements",
          "GatherND",
          "Greater",
          "GreaterOrEqual",
          "Identity",
          "Less",
          "LessOrEqual",
          "Log",
          "LogSoftmax",
          "Max",
          "Min",
          "Mul",
          "Neg",
          "Not",
          "OneHot",
          "Or",
          "Pow",
          "QuantizeLinear",
          "ReduceL1",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceSum",
          "Reshape",
          "ScatterElements",
          "ScatterND",
          "Sigmoid",
          "Slice",
          "Softmax",
          "Softplus",
          "Split",
          "Sqrt",
          "Squeeze",
          "Sub",
          "Tanh",
          "TopK",
          "Transpose",
          "Unsqueeze",
          "Where");

  /** Sizes of activations say nothing about scores. */
  private static final Set<String> SIZES = Set.of("Shape", "Size");

  private RouterOperators() {}

  /** True for elementwise, softmax, reducing, gathering, spreading and quantising ones, choices. */
  static boolean contain(Node node) {
    return node.domain().isEmpty() && OPERATORS.contains(node.opType());
  }

  static boolean isSize(Node node) {
    return node.domain().isEmpty() && SIZES.contains(node.opType());
  }
}
