package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueTypes;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;

/**
 * In which numbers a block computes, and how exact two ways to compute the same can be.
 *
 * @param type the coarsest floating type between the experts' weights and the routed output
 * @param quantised true where weights are stored as integers
 */
public record Precision(ElementType type, boolean quantised) {
  /** The precision of what a form found; empty if types are not known, or not those of numbers. */
  static Optional<Precision> of(Graph graph, ValueTypes types, Claim claim) {
    Set<String> behind =
        Reach.forward(graph, claim.weights(), value -> value.equals(claim.output()));
    behind.retainAll(
        Reach.backward(graph, Set.of(claim.output()), value -> !behind.contains(value)));
    return coarsest(graph, types, behind)
        .map(type -> new Precision(type, isQuantised(graph, claim)));
  }

  private static Optional<ElementType> coarsest(Graph graph, ValueTypes types, Set<String> values) {
    return values.stream()
        .filter(value -> Weight.behind(graph, value).isEmpty())
        .flatMap(value -> types.of(value).stream())
        .filter(ElementType::isFloating)
        .max(Comparator.comparingDouble(Precision::tolerance));
  }

  /**
   * The coarsest floating type on the way to a value, but for constants; empty if there is none.
   */
  public static Optional<Precision> on(Graph graph, ValueTypes types, String value) {
    return coarsest(graph, types, Reach.backward(graph, Set.of(value), passed -> false))
        .map(type -> new Precision(type, false));
  }

  private static boolean isQuantised(Graph graph, Claim claim) {
    return claim.weights().stream()
        .anyMatch(weight -> !graph.constant(weight).orElseThrow().type().isFloating());
  }

  /** How far a block's output may be from the one rebuilt from its rows, relative. */
  public double rebuilt() {
    return tolerance(type);
  }

  /** How far a rewritten block may be from the oracle, relative. */
  public double proved() {
    boolean isExact = tolerance(type) < 1e-3;
    return isExact && !quantised ? tolerance(type) / 10 : tolerance(type);
  }

  /** How far apart two scores may be whose order rounding turns over. */
  public double gap() {
    return tolerance(type);
  }

  /** ONNX's name of the type, and whether weights are integers. */
  @Override
  public String toString() {
    return quantised ? type.text() + ", quantised" : type.text();
  }

  private static double tolerance(ElementType type) {
    return switch (type) {
      case FLOAT16 -> 1e-2;
      case BFLOAT16 -> 5e-2;
      default -> 1e-4;
    };
  }
}
