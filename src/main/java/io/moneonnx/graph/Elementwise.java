package io.moneonnx.graph;

import java.util.Set;

/** Operators that compute each element from the elements at the same place of their inputs. */
public final class Elementwise {
  private static final Set<String> OPERATORS =
      Set.of(
          "Abs",
          "Add",
          "And",
          "BitShift",
          "Cast",
          "CastLike",
          "Ceil",
          "Celu",
          "Clip",
          "Cos",
          "Div",
          "Elu",
          "Equal",
          "Erf",
          "Exp",
          "Floor",
          "Gelu",
          "Greater",
          "GreaterOrEqual",
          "HardSigmoid",
          "HardSwish",
          "Identity",
          "IsInf",
          "IsNaN",
          "LeakyRelu",
          "Less",
          "LessOrEqual",
          "Log",
          "Max",
          "Mean",
          "Min",
          "Mish",
          "Mod",
          "Mul",
          "Neg",
          "Not",
          "Or",
          "PRelu",
          "Pow",
          "Reciprocal",
          "Relu",
          "Round",
          "Selu",
          "Sigmoid",
          "Sign",
          "Sin",
          "Softplus",
          "Softsign",
          "Sqrt",
          "Sub",
          "Sum",
          "Swish",
          "Tanh",
          "ThresholdedRelu",
          "Where",
          "Xor");

  /** The same among ONNX Runtime's own operators. */
  private static final Set<String> RUNTIME_OPERATORS =
      Set.of("BiasGelu", "FastGelu", "Gelu", "QuickGelu");

  private Elementwise() {}

  /** True for an operator whose inputs are broadcast against each other, if it has several. */
  public static boolean is(Node node) {
    return node.domain().isEmpty()
        ? OPERATORS.contains(node.opType())
        : node.domain().equals("com.microsoft") && RUNTIME_OPERATORS.contains(node.opType());
  }
}
