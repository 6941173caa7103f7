package io.moneonnx.plan;

import io.moneonnx.profile.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Ranks each block's experts and takes the lowest, as many as the budget says. */
public final class Planner {
  private Planner() {}

  public static Plan plan(Profile profile, Criterion criterion, Budget budget) {
    List<Ranking> rankings =
        profile.blocks().stream().map(block -> Ranking.of(block, criterion)).toList();
    List<Integer> counts = budget.pruned(rankings);
    List<Plan.Block> blocks = new ArrayList<>();
    for (int i = 0; i < rankings.size(); i++) {
      Ranking ranking = rankings.get(i);
      List<Integer> pruned = ranking.order().subList(0, counts.get(i)).stream().sorted().toList();
      blocks.add(new Plan.Block(ranking.block(), ranking.experts(), pruned));
    }
    return new Plan(
        profile.model(),
        Optional.of(criterion.name()),
        Plan.Router.KEEP,
        budget instanceof LayerRatio layer ? Optional.of(layer.ratio()) : Optional.empty(),
        blocks);
  }
}
