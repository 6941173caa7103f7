package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criterion;
import io.moneonnx.profile.BlockHeader;
import java.util.List;
import java.util.Optional;

/**
 * What a plan is to reach.
 *
 * @param criterion what ranks the experts
 * @param novice what stands in for those that go, if the router is kept
 * @param amount how many go
 * @param scope which are ranked against each other
 * @param limits what must stay
 * @param narrow if the amount is spent on widths: what these keep to; the criterion has no say then
 */
public record Goal(
    Criterion criterion,
    Novice novice,
    Plan.Router router,
    Amount amount,
    Scope scope,
    Limits limits,
    Optional<NarrowTerms> narrow) {
  public Goal {
    if (narrow.isPresent() && router == Plan.Router.CUT) {
      throw new BadInputException("method narrow with router cut: narrow experts are still chosen");
    }
    if (amount instanceof Thresholds && scope instanceof Scope.Model) {
      throw new BadInputException(
          "%s with %s: thresholds look at each block by itself".formatted(amount, scope));
    }
  }

  /** Mean novices, the router kept, the same number of each block, no limits. */
  public static Goal of(Criterion criterion, Amount amount) {
    return new Goal(
        criterion,
        Novice.MEAN,
        Plan.Router.KEEP,
        amount,
        new Scope.Layer(),
        Limits.NONE,
        Optional.empty());
  }

  /** What a goal for another amount would have in common with this one. */
  public PlanConstraints terms() {
    return new PlanConstraints(criterion, novice, router, scope, limits, narrow);
  }

  /**
   * Checks what can be known before anything is measured.
   *
   * @param modelBytes bytes of the model's files
   * @throws BadInputException if the goal cannot be reached; says what can
   */
  public void check(long modelBytes, List<BlockHeader> blocks) {
    if (narrow.isPresent()) {
      long experts =
          blocks.stream()
              .filter(block -> block.inner() > 0)
              .mapToLong(block -> block.expertBytes() * block.experts())
              .sum();
      amount.budget(modelBytes, experts, 0);
      return;
    }
    amount.check(Candidates.of(Measurements.unmeasured(modelBytes, blocks), terms()), scope);
  }

  /** What ranks the experts; nothing does where thresholds say which go. */
  public Optional<String> ranking() {
    return narrow.isPresent() || amount instanceof Thresholds
        ? Optional.empty()
        : Optional.of(criterion.description());
  }

  /** How much, where, and what must stay, such as {@code ratio 0.25, scope layer}. */
  public String budget() {
    return narrow.map(terms -> terms + ", ").orElse("") + amount + ", " + scope + limits;
  }
}
