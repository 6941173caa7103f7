package io.moneonnx.results;

import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Limits;
import io.moneonnx.plan.Normalisation;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.Scope;
import io.moneonnx.plan.criterion.Criteria;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One way of pruning.
 *
 * @param source what was calibrated on: {@code A}, {@code B} or {@code AB}
 * @param size how much of it: {@code 8k}, {@code 32k} or {@code 128k} tokens
 * @param treatment the novice, or {@code cut}
 * @param scope {@code layer}, {@code model}, or with at least as many experts left in each block as
 *     it chooses {@code model-k} or, normalised, {@code normalised-k}
 * @param seed of the random criterion, otherwise 0
 */
record Cell(
    String source,
    String size,
    String criterion,
    String treatment,
    String scope,
    String ratio,
    long seed) {
  static final String CUT = "cut";

  /**
   * What is to be planned.
   *
   * @param topK experts that a token chooses
   */
  Goal goal(int topK) {
    boolean isCut = treatment.equals(CUT);
    return new Goal(
        Criteria.named(criterion, seed),
        isCut ? Novice.ZERO : Novice.valueOf(treatment.toUpperCase(Locale.ROOT)),
        isCut ? Plan.Router.CUT : Plan.Router.KEEP,
        Ratio.parse(ratio),
        switch (scope) {
          case "model", "model-k" -> new Scope.Model(Normalisation.NONE);
          case "normalised-k" -> new Scope.Model(Normalisation.RESIDUAL);
          default -> new Scope.Layer();
        },
        scope.endsWith("-k") ? new Limits(OptionalInt.of(topK), List.of()) : Limits.NONE,
        Optional.empty());
  }

  /** The same with the default criterion and novice, what others are set against. */
  Cell ordinary() {
    return new Cell(source, size, "mone", "mean", "layer", ratio, 0);
  }
}
