package io.moneonnx.plan;

import io.moneonnx.profile.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Ranks experts and takes the lowest, as many as the goal says. */
public final class Planner {
  private Planner() {}

  /**
   * The plan that reaches a goal.
   *
   * @throws io.moneonnx.graph.BadInputException if it cannot be reached; says what can
   */
  public static Plan plan(Profile profile, Goal goal) {
    Selection selection = select(Measurements.of(profile), goal);
    List<Plan.Block> blocks = new ArrayList<>();
    for (int i = 0; i < selection.blocks(); i++) {
      blocks.add(
          new Plan.Block(
              profile.blocks().get(i).name(), profile.blocks().get(i).experts(), selection.of(i)));
    }
    return new Plan(
        profile.model(),
        Optional.of(profile.id()),
        goal.ranking(),
        goal.router() == Plan.Router.CUT ? Optional.empty() : Optional.of(goal.novice()),
        goal.router(),
        Optional.of(goal.budget()),
        goal.amount() instanceof Ratio ratio ? Optional.of(ratio.ratio()) : Optional.empty(),
        blocks);
  }

  static Selection select(Measurements evidence, Goal goal) {
    return goal.amount().from(Candidates.of(evidence, goal.terms()), goal.scope());
  }
}
