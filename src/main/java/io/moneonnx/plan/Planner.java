package io.moneonnx.plan;

import io.moneonnx.profile.Profile;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Ranks experts and takes the lowest, or gives all of them widths: as much as the goal says. */
public final class Planner {
  private Planner() {}

  /**
   * The plan that reaches a goal.
   *
   * @throws io.moneonnx.graph.BadInputException if it cannot be reached; says what can
   */
  public static Plan plan(Profile profile, Goal goal) {
    return new Plan(
        profile.model(),
        Optional.of(profile.id()),
        goal.ranking(),
        goal.router() == Plan.Router.CUT ? Optional.empty() : Optional.of(goal.novice()),
        goal.router(),
        Optional.of(goal.budget()),
        goal.amount() instanceof Ratio ratio ? Optional.of(ratio.ratio()) : Optional.empty(),
        goal.narrow().map(NarrowTerms::requantize).filter(wanted -> wanted),
        goal.narrow().isPresent()
            ? new NarrowPlanner(profile, goal).plan()
            : blocks(profile, select(Measurements.of(profile), goal)));
  }

  private static List<Plan.Block> blocks(Profile profile, Selection selection) {
    return IntStream.range(0, selection.blocks())
        .mapToObj(
            i ->
                new Plan.Block(
                    profile.blocks().get(i).name(),
                    profile.blocks().get(i).experts(),
                    selection.of(i)))
        .toList();
  }

  static Selection select(Measurements evidence, Goal goal) {
    return goal.amount().from(Candidates.of(evidence, goal.terms()), goal.scope());
  }
}
