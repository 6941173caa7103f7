package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.Profile;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PlanConstraintsTest {
  private static final Scope LAYER = new Scope.Layer();
  private static final Scope MODEL = new Scope.Model(Normalisation.NONE);

  private static PlanConstraints terms(Scope scope, OptionalInt minKeep) {
    return new PlanConstraints(
        Criteria.named("frequency", 0),
        Novice.MEAN,
        Plan.Router.KEEP,
        scope,
        new Limits(minKeep, List.of()),
        Optional.empty());
  }

  private static List<String> ratios(Profile profile, Scope scope, OptionalInt minKeep) {
    return terms(scope, minKeep).goals(profile).stream()
        .map(goal -> ((Ratio) goal.amount()).ratio().toPlainString())
        .toList();
  }

  @Test
  void aRatioForEachNumberThatALayerCanSpare() {
    Profile profile = Profiles.counts(new long[] {4, 1, 3, 2}, new long[] {1, 2, 3, 4});

    assertThat(ratios(profile, LAYER, OptionalInt.empty())).containsExactly("0.25", "0.5", "0.75");
    assertThat(ratios(profile, LAYER, OptionalInt.of(2))).containsExactly("0.25", "0.5");
  }

  @Test
  void oneForEachNumberThatTheModelCanSpare() {
    Profile profile = Profiles.counts(new long[] {4, 1, 3, 2}, new long[] {1, 2, 3, 4});

    assertThat(ratios(profile, MODEL, OptionalInt.empty())).hasSize(6).startsWith("0.125", "0.25");
    assertThat(ratios(profile, MODEL, OptionalInt.of(0))).hasSize(7).endsWith("0.875");
  }

  @Test
  void blocksOfDifferentSizesLoseOneEachAtRatiosOfTheirOwn() {
    Profile profile = Profiles.counts(new long[] {4, 1, 3}, new long[] {1, 2, 3, 4});

    assertThat(ratios(profile, LAYER, OptionalInt.empty()))
        .containsExactly("0.25", "0.333334", "0.5", "0.666667", "0.75");
  }

  @Test
  void eachPlanTakesWhatTheOneBeforeTakesAndMore() {
    for (Scope scope : List.of(LAYER, MODEL)) {
      Profile profile = Profiles.random(7, 3, 12, 4);
      List<Plan> plans =
          terms(scope, OptionalInt.empty()).goals(profile).stream()
              .map(goal -> Planner.plan(profile, goal))
              .toList();

      assertThat(plans).hasSize(scope == LAYER ? 11 : 33);
      for (int i = 1; i < plans.size(); i++) {
        int more = 0;
        for (Plan.Block block : plans.get(i).blocks()) {
          assertThat(block.pruned()).containsAll(plans.get(i - 1).pruned(block.name()));
          more += block.pruned().size() - plans.get(i - 1).pruned(block.name()).size();
        }
        assertThat(more).isEqualTo(scope == LAYER ? 3 : 1);
      }
    }
  }

  @Test
  void noneWhereAllMustStay() {
    Profile profile = Profiles.counts(new long[] {4, 1, 3, 2});

    assertThatThrownBy(() -> terms(LAYER, OptionalInt.of(4)).goals(profile))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no expert can go: of the 4 in block")
        .hasMessageContaining("4 must stay at least");
  }
}
