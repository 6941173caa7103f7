package io.moneonnx.form;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * What a graph makes of the ids of experts before it counts them: casts, scales and clamps that
 * exporters put there are tried on every id there is.
 *
 * @param ids what each of the ids {@code 0, 1, ...} has become
 * @param unknown the first operator on the way whose result is not known
 */
record DerivedIds(List<Double> ids, Optional<Node> unknown) {
  private static final Set<String> RESHAPING =
      Set.of("Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze");

  /**
   * How {@code value} follows from the ids; empty if it is not computed from one of {@code sources}
   * and constants alone.
   */
  static Optional<DerivedIds> of(Graph graph, String value, Set<String> sources, int experts) {
    if (sources.contains(value)) {
      List<Double> ids = IntStream.range(0, experts).mapToObj(id -> (double) id).toList();
      return Optional.of(new DerivedIds(ids, Optional.empty()));
    }
    List<Node> producer = graph.producer(value).stream().toList();
    List<String> computed =
        producer.stream()
            .flatMap(node -> node.reads().stream())
            .filter(read -> graph.constant(read).isEmpty())
            .toList();
    return computed.size() == 1
        ? of(graph, computed.get(0), sources, experts)
            .map(ids -> ids.through(graph, producer.get(0)))
        : Optional.empty();
  }

  /** Why counting these counts something else than the ids; empty if each is still itself. */
  Optional<String> objection(String counted) {
    if (unknown.isPresent()) {
      return unknown.map(
          node ->
              "'%s' (%s) changes the ids before they are counted in a way that is not known"
                  .formatted(node.label(), node.opType()));
    }
    return IntStream.range(0, ids.size())
        .filter(id -> ids.get(id) != id)
        .mapToObj(
            id ->
                "expert %d is counted as %.4g in '%s'; expected every id counted as it is"
                    .formatted(id, ids.get(id), counted))
        .findFirst();
  }

  private DerivedIds through(Graph graph, Node node) {
    if (unknown.isPresent() || (node.domain().isEmpty() && RESHAPING.contains(node.opType()))) {
      return this;
    }
    return function(graph, node)
        .map(function -> new DerivedIds(applied(function), Optional.empty()))
        .orElse(new DerivedIds(ids, Optional.of(node)));
  }

  private List<Double> applied(DoubleUnaryOperator function) {
    return ids.stream().map(function::applyAsDouble).toList();
  }

  private static Optional<DoubleUnaryOperator> function(Graph graph, Node node) {
    if (!node.domain().isEmpty()) {
      return Optional.empty();
    }
    return switch (node.opType()) {
      case "Cast" -> cast(node);
      case "Floor" -> Optional.of(Math::floor);
      case "Clip" -> clip(graph, node);
      case "Add", "Sub", "Mul", "Div" -> arithmetic(graph, node);
      default -> Optional.empty();
    };
  }

  private static Optional<DoubleUnaryOperator> cast(Node node) {
    return ElementType.find((int) node.intAttribute("to", 0))
        .flatMap(
            type ->
                switch (type) {
                  case FLOAT -> Optional.of(id -> (float) id);
                  case DOUBLE -> Optional.of(id -> id);
                  case INT32, INT64 -> Optional.of(id -> (long) id);
                  default -> Optional.empty();
                });
  }

  private static Optional<DoubleUnaryOperator> clip(Graph graph, Node node) {
    Optional<Double> low = bound(graph, node.input(1), Double.NEGATIVE_INFINITY);
    Optional<Double> high = bound(graph, node.input(2), Double.POSITIVE_INFINITY);
    return low.flatMap(min -> high.map(max -> id -> Math.min(Math.max(id, min), max)));
  }

  private static Optional<Double> bound(Graph graph, String value, double absent) {
    return value.isEmpty() ? Optional.of(absent) : number(graph, value);
  }

  private static Optional<Double> number(Graph graph, String value) {
    return graph
        .constant(value)
        .filter(tensor -> tensor.elements() == 1)
        .flatMap(
            tensor ->
                switch (tensor.type()) {
                  case FLOAT -> Optional.of((double) tensor.toFloats()[0]);
                  case INT32, INT64 -> Optional.of((double) tensor.toLongs()[0]);
                  default -> Optional.empty();
                });
  }

  /** Computed in the type of the constant: float32, or integers that are cut off. */
  private static Optional<DoubleUnaryOperator> arithmetic(Graph graph, Node node) {
    boolean constantFirst = graph.constant(node.input(0)).isPresent();
    String constant = node.input(constantFirst ? 0 : 1);
    boolean isFloating =
        graph.constant(constant).map(Tensor::type).filter(ElementType::isFloating).isPresent();
    return number(graph, constant)
        .map(
            c ->
                id -> {
                  double result =
                      constantFirst ? apply(node.opType(), c, id) : apply(node.opType(), id, c);
                  return isFloating ? (float) result : (long) result;
                });
  }

  private static double apply(String operator, double a, double b) {
    return switch (operator) {
      case "Add" -> a + b;
      case "Sub" -> a - b;
      case "Mul" -> a * b;
      default -> a / b;
    };
  }
}
