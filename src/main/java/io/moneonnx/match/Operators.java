package io.moneonnx.match;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Node;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What ONNX (opset 13 and later) says of the operators that patterns speak about. */
final class Operators {
  private static final Set<String> COMMUTATIVE =
      Set.of("Add", "And", "Equal", "Max", "Mean", "Min", "Mul", "Or", "Sum", "Xor");

  private static final Map<String, Map<String, Attribute>> DEFAULTS =
      Map.ofEntries(
          Map.entry(
              "ArgMax",
              Map.of(
                  "axis", Attribute.of(0),
                  "keepdims", Attribute.of(1),
                  "select_last_index", Attribute.of(0))),
          Map.entry("CumSum", Map.of("exclusive", Attribute.of(0), "reverse", Attribute.of(0))),
          Map.entry("Flatten", Map.of("axis", Attribute.of(1))),
          Map.entry("Gather", Map.of("axis", Attribute.of(0))),
          Map.entry("GatherElements", Map.of("axis", Attribute.of(0))),
          Map.entry("GatherND", Map.of("batch_dims", Attribute.of(0))),
          Map.entry(
              "Gemm",
              Map.of(
                  "alpha",
                  new Attribute.OfFloat(1),
                  "beta",
                  new Attribute.OfFloat(1),
                  "transA",
                  Attribute.of(0),
                  "transB",
                  Attribute.of(0))),
          Map.entry("OneHot", Map.of("axis", Attribute.of(-1))),
          Map.entry("ReduceL1", Map.of("keepdims", Attribute.of(1))),
          Map.entry("ReduceMax", Map.of("keepdims", Attribute.of(1))),
          Map.entry("ReduceSum", Map.of("keepdims", Attribute.of(1))),
          Map.entry(
              "ScatterElements",
              Map.of("axis", Attribute.of(0), "reduction", Attribute.of("none"))),
          Map.entry("ScatterND", Map.of("reduction", Attribute.of("none"))),
          Map.entry("Softmax", Map.of("axis", Attribute.of(-1))),
          Map.entry("Split", Map.of("axis", Attribute.of(0))),
          Map.entry(
              "TopK",
              Map.of(
                  "axis", Attribute.of(-1),
                  "largest", Attribute.of(1),
                  "sorted", Attribute.of(1))));

  private Operators() {}

  /** The operator's name, behind that of its domain unless that is ONNX's own. */
  static String qualifiedName(Node node) {
    return node.domain().isEmpty() ? node.opType() : node.domain() + "." + node.opType();
  }

  static boolean isCommutative(Node node) {
    return COMMUTATIVE.contains(qualifiedName(node));
  }

  /** The attribute's value as pattern files write it. */
  static String text(Attribute attribute) {
    if (attribute instanceof Attribute.OfInt number) {
      return Long.toString(number.value());
    } else if (attribute instanceof Attribute.OfFloat number) {
      return Float.toString(number.value());
    } else if (attribute instanceof Attribute.OfText text) {
      return '"' + text.value() + '"';
    } else if (attribute instanceof Attribute.OfInts numbers) {
      return numbers.values().toString();
    }
    return attribute.getClass().getSimpleName();
  }

  /** The attribute as it counts: as given, else the operator's default. */
  static Optional<Attribute> attribute(Node node, String name) {
    return node.attribute(name)
        .or(
            () ->
                Optional.ofNullable(
                    DEFAULTS.getOrDefault(qualifiedName(node), Map.of()).get(name)));
  }
}
