package io.moneonnx.cli;

import io.moneonnx.plan.Budget;
import io.moneonnx.plan.Criterion;
import io.moneonnx.plan.LayerRatio;
import picocli.CommandLine.Option;

/** The options that say how many experts go, and which. */
final class BudgetOptions {
  static final String DEFAULT_RATIO = "0.25";

  @Option(
      names = "--ratio",
      paramLabel = "R",
      description = "The part of each block's experts to replace (default: " + DEFAULT_RATIO + ").")
  private String ratio;

  @Option(
      names = "--criterion",
      paramLabel = "NAME",
      description = "What ranks the experts (default: mone).")
  private String criterion;

  /** True where the user said anything about the budget. */
  boolean given() {
    return ratio != null || criterion != null;
  }

  Budget budget() {
    return LayerRatio.parse(ratio == null ? DEFAULT_RATIO : ratio);
  }

  Criterion criterion() {
    return Criterion.named(criterion == null ? "mone" : criterion);
  }
}
