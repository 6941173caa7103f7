package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One form for things that exporters spell in several ways, so that patterns need not: small
 * integer constants that a graph computes become initializers of the same name. Values keep their
 * names, so what is found in the canonical graph can be edited in the original one.
 */
public final class Canonical {
  private static final int FOLDED_ELEMENTS = 64;

  private Canonical() {}

  public static Graph of(Graph graph) {
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    List<Node> nodes = new ArrayList<>(graph.nodes().size());
    for (Node node : graph.nodes()) {
      Optional<Tensor> folded = fold(node, initializers);
      if (folded.isPresent()) {
        initializers.put(node.output(), Initializer.of(node.output(), folded.get()));
      } else {
        nodes.add(node);
      }
    }
    return new Graph(
        graph.name(),
        nodes,
        initializers,
        graph.inputs(),
        graph.outputs(),
        graph.declared(),
        graph.rest());
  }

  private static Optional<Tensor> fold(Node node, Map<String, Initializer> constants) {
    if (!node.domain().isEmpty()) {
      return Optional.empty();
    }
    return switch (node.opType()) {
      case "Constant" ->
          new Graph("", List.of(node), Map.of(), List.of(), List.of(), Map.of(), Wire.NONE)
              .constant(node.output());
      case "Identity" -> constant(node.input(0), constants);
      case "Reshape" ->
          small(node.input(0), constants)
              .flatMap(
                  tensor ->
                      small(node.input(1), constants).flatMap(s -> reshape(tensor, s.toLongs())));
      case "Unsqueeze" ->
          small(node.input(0), constants)
              .filter(tensor -> tensor.rank() == 0)
              .map(tensor -> tensor.reshaped(List.of(1L)));
      case "Squeeze" ->
          small(node.input(0), constants)
              .filter(tensor -> tensor.elements() == 1)
              .map(tensor -> tensor.reshaped(List.of()));
      default -> Optional.empty();
    };
  }

  private static Optional<Tensor> constant(String value, Map<String, Initializer> constants) {
    return Optional.ofNullable(constants.get(value)).map(Initializer::tensor);
  }

  private static Optional<Tensor> small(String value, Map<String, Initializer> constants) {
    return constant(value, constants)
        .filter(tensor -> tensor.type() == ElementType.INT64)
        .filter(tensor -> tensor.elements() <= FOLDED_ELEMENTS);
  }

  private static Optional<Tensor> reshape(Tensor tensor, long[] dims) {
    List<Long> shape = new ArrayList<>();
    long known = 1;
    for (long dim : dims) {
      if (dim == 0) {
        return Optional.empty();
      }
      known *= dim > 0 ? dim : 1;
    }
    for (long dim : dims) {
      shape.add(dim > 0 ? dim : tensor.elements() / known);
    }
    return Tensor.elements(shape) == tensor.elements()
        ? Optional.of(tensor.reshaped(shape))
        : Optional.empty();
  }
}
