package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.BlockStatistics;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** What an expert is worth; the lowest score is pruned first. A new criterion is one line here. */
public final class Criterion {
  private static final List<Criterion> ALL =
      List.of(
          new Criterion("mone", expert -> expert.spread() * expert.g1() / expert.tokens()),
          new Criterion("mone-paper", expert -> expert.spread() * expert.g1() / expert.n()),
          new Criterion("mone-count", expert -> expert.spread() * expert.n() / expert.tokens()),
          new Criterion("frequency", Expert::n),
          new Criterion("routing-score", Expert::g1),
          new Criterion("variance", Expert::spread),
          new Criterion("reap", expert -> expert.b1() / expert.n()),
          new Criterion("residual", Expert::r2));

  private final String name;
  private final ToDoubleFunction<Expert> formula;

  private Criterion(String name, ToDoubleFunction<Expert> formula) {
    this.name = name;
    this.formula = formula;
  }

  /** The criterion of this name; the error lists the names there are. */
  public static Criterion named(String name) {
    return ALL.stream()
        .filter(criterion -> criterion.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "no criterion '%s'; there are %s".formatted(name, String.join(", ", names()))));
  }

  /** Every criterion's name, the default first. */
  public static List<String> names() {
    return ALL.stream().map(Criterion::name).toList();
  }

  public String name() {
    return name;
  }

  /** The block's experts' scores, in their order; negative infinity for one never chosen. */
  public double[] score(BlockStatistics block) {
    List<OptionalDouble> variances =
        IntStream.range(0, block.experts()).mapToObj(block::variance).toList();
    // Where no spread is known at all, they count as equal.
    double largest = variances.stream().flatMapToDouble(OptionalDouble::stream).max().orElse(1);
    return IntStream.range(0, block.experts())
        .mapToDouble(
            index ->
                block.n().get(index) == 0
                    ? Double.NEGATIVE_INFINITY
                    : formula.applyAsDouble(
                        new Expert(block, index, Math.sqrt(variances.get(index).orElse(largest)))))
        .toArray();
  }

  @Override
  public String toString() {
    return name;
  }
}
