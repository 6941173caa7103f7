package io.moneonnx.graph;

import java.util.List;
import java.util.Optional;

/**
 * The equation of an {@code Einsum}, a letter for each axis.
 *
 * @param operands the axes of each input
 * @param output the axes of the result
 */
public record Equation(List<String> operands, String output) {
  public Equation {
    operands = List.copyOf(operands);
  }

  /** The equation of a node; empty if it has none, or one with dots or without an arrow. */
  public static Optional<Equation> of(Node node) {
    if (!node.is("Einsum")
        || !(node.attributes().get("equation") instanceof Attribute.OfText equation)) {
      return Optional.empty();
    }
    String text = equation.value().replace(" ", "");
    int arrow = text.indexOf("->");
    return text.contains(".") || arrow < 0
        ? Optional.empty()
        : Optional.of(
            new Equation(
                List.of(text.substring(0, arrow).split(",", -1)), text.substring(arrow + 2)));
  }

  @Override
  public String toString() {
    return String.join(",", operands) + "->" + output;
  }
}
