package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Elementwise;
import io.moneonnx.graph.Node;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The usual name of an activation, told by the operators that it is computed with. */
final class ActivationName {
  private static final String LOGISTIC = "Sigmoid";

  /** Operators that an activation may be computed with but is not named by. */
  private static final Set<String> ARITHMETIC =
      Set.of(
          "Abs",
          "Add",
          "And",
          "Cast",
          "Clip",
          "Div",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Identity",
          "Less",
          "LessOrEqual",
          "Max",
          "Min",
          "Mul",
          "Neg",
          "Not",
          "Or",
          "Sub",
          "Sum",
          "Where");

  private static final Map<Set<String>, String> BY_OPERATORS =
      Map.ofEntries(
          Map.entry(Set.of(), "identity"),
          Map.entry(Set.of("BiasGelu"), "gelu"),
          Map.entry(Set.of("Erf"), "gelu"),
          Map.entry(Set.of("FastGelu"), "gelu-tanh"),
          Map.entry(Set.of("HardSwish"), "hard-swish"),
          Map.entry(Set.of("LeakyRelu"), "leaky-relu"),
          Map.entry(Set.of("Pow", "Relu"), "relu2"),
          Map.entry(Set.of("Pow", "Tanh"), "gelu-tanh"),
          Map.entry(Set.of("QuickGelu"), "quick-gelu"),
          Map.entry(Set.of("Softplus", "Tanh"), "mish"),
          Map.entry(Set.of("Swish"), "silu"));

  private ActivationName() {}

  /** True for a node by which an activation is named. */
  static boolean isNamedBy(Node node) {
    return Elementwise.is(node) && !ARITHMETIC.contains(node.opType());
  }

  /** The name of what these nodes compute; the names of the operators where it has none. */
  static String of(Collection<Node> nodes) {
    List<Node> naming = nodes.stream().filter(ActivationName::isNamedBy).toList();
    Set<String> operators =
        naming.stream().map(Node::opType).collect(Collectors.toCollection(TreeSet::new));
    if (operators.equals(Set.of(LOGISTIC))) {
      return logistic(nodes, naming.get(0));
    } else if (operators.equals(Set.of("Gelu"))) {
      return naming.get(0).attributes().get("approximate") instanceof Attribute.OfText text
              && text.value().equals("tanh")
          ? "gelu-tanh"
          : "gelu";
    } else if (operators.equals(Set.of("QuickGelu")) && isUnscaled(naming.get(0))) {
      return "silu";
    } else if (operators.equals(Set.of("Relu")) && isSquared(nodes, naming.get(0).output())) {
      return "relu2";
    }
    return BY_OPERATORS.getOrDefault(
        operators, String.join("+", operators).toLowerCase(Locale.ROOT));
  }

  private static boolean isUnscaled(Node quickGelu) {
    return quickGelu.attributes().get("alpha") instanceof Attribute.OfFloat alpha
        && alpha.value() == 1;
  }

  private static boolean isSquared(Collection<Node> nodes, String value) {
    return nodes.stream()
        .anyMatch(node -> node.is("Mul") && node.inputs().equals(List.of(value, value)));
  }

  /** {@code x sigmoid (x)}, {@code x sigmoid (1.702 x)}, or the logistic function itself. */
  private static String logistic(Collection<Node> nodes, Node sigmoid) {
    String argument = sigmoid.input(0);
    if (isMultiplied(nodes, sigmoid.output(), argument)) {
      return "silu";
    }
    return nodes.stream()
            .filter(node -> node.is("Mul") && node.output().equals(argument))
            .flatMap(node -> node.inputs().stream())
            .anyMatch(factor -> isMultiplied(nodes, sigmoid.output(), factor))
        ? "quick-gelu"
        : "sigmoid";
  }

  private static boolean isMultiplied(Collection<Node> nodes, String value, String by) {
    return nodes.stream()
        .anyMatch(node -> node.is("Mul") && node.inputs().containsAll(List.of(value, by)));
  }
}
