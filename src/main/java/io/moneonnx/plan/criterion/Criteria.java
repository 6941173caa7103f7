package io.moneonnx.plan.criterion;

import io.moneonnx.graph.BadInputException;
import java.util.List;

/** All the criteria there are. */
public final class Criteria {
  /** What ranks experts unless something else is asked for. */
  public static final Criterion DEFAULT = new Mone();

  private Criteria() {}

  /**
   * Every criterion, the default first.
   *
   * @param seed of the random one
   */
  public static List<Criterion> all(long seed) {
    return List.of(
        DEFAULT,
        new MonePaper(),
        new MoneCount(),
        new Frequency(),
        new RoutingScore(),
        new MeanGate(),
        new Variance(),
        new ActivationNorm(),
        new MeanActivationNorm(),
        new MeanSquaredNorm(),
        new WeightedNorm(),
        new WeightedSquaredNorm(),
        new Reap(),
        new Residual(),
        new RandomOrder(seed));
  }

  /** Every criterion's name, the default first. */
  public static List<String> names() {
    return all(0).stream().map(Criterion::name).toList();
  }

  /** The criterion of this name; the random one with seed 0. */
  public static Criterion named(String name) {
    return named(name, 0);
  }

  /**
   * The criterion of this name; the error lists the names there are.
   *
   * @param seed of the random one
   */
  public static Criterion named(String name, long seed) {
    return all(seed).stream()
        .filter(criterion -> criterion.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new BadInputException(
                    "no criterion '%s'; there are %s".formatted(name, String.join(", ", names()))));
  }
}
