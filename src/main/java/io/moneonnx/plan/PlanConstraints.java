package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criterion;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.Profile;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What a plan keeps to, however many experts go.
 *
 * @param criterion what ranks the experts
 * @param novice what stands in for those that go, if the router is kept
 * @param scope which are ranked against each other
 * @param limits what must stay
 * @param narrow if experts lose neurons: what their widths keep to
 */
public record PlanConstraints(
    Criterion criterion,
    Novice novice,
    Plan.Router router,
    Scope scope,
    Limits limits,
    Optional<NarrowTerms> narrow) {
  /** Budgets are tried in steps of a hundredth. */
  private static final int PERCENT = 100;

  /** So many are to go. */
  public Goal with(Amount amount) {
    return new Goal(criterion, novice, router, amount, scope, limits, narrow);
  }

  /**
   * A goal for each number of experts that can go, the fewest first; each takes what the one before
   * takes, and more.
   *
   * @throws BadInputException if none can go; says why
   */
  public List<Goal> goals(Profile profile) {
    if (narrow.isPresent()) {
      return narrowing(profile);
    }
    return goals(Measurements.of(profile));
  }

  /**
   * Checks what can be known before anything is measured.
   *
   * @param modelBytes bytes of the model's files
   * @throws BadInputException if no expert can go; says why
   */
  public void check(long modelBytes, List<BlockHeader> blocks) {
    goals(Measurements.unmeasured(modelBytes, blocks));
  }

  /** As far as the least widths allow. */
  private List<Goal> narrowing(Profile profile) {
    List<Goal> goals = Ratio.upTo(PERCENT).map(this::with).toList();
    NarrowPlanner planner = new NarrowPlanner(profile, goals.get(0));
    planner.plan(); // throws where not even the smallest can be met
    return goals.stream().takeWhile(goal -> planner.canMeet(goal.amount())).toList();
  }

  private List<Goal> goals(Measurements evidence) {
    if (narrow.isPresent()) {
      return Ratio.upTo(PERCENT).map(this::with).toList();
    }
    Candidates candidates = Candidates.of(evidence, this);
    List<Ratio> ratios = scope.supply(candidates).ratios();
    if (ratios.isEmpty()) {
      Candidates.Block full =
          Collections.min(candidates.blocks(), Comparator.comparingInt(Candidates.Block::room));
      throw new BadInputException(
          "no expert can go: of the %d in block '%s' %s"
              .formatted(full.experts(), full.name(), full.reason()));
    }
    return ratios.stream().map(this::with).toList();
  }
}
