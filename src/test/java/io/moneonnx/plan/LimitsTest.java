package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.plan.criterion.Criterion;
import io.moneonnx.profile.Profile;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LimitsTest {
  private static final Scope MODEL = new Scope.Model(Normalisation.NONE);
  private static final List<String> HELD = List.of("0:1", "2:5");
  private static final Profile PROFILE =
      Profiles.counts(new long[] {40, 30, 20, 10}, new long[] {1, 2, 3, 94});

  @Test
  void theModelScopeLeavesEachBlockItsLeast() {
    assertThat(pruned(new PruneCount(3), MODEL, Limits.NONE))
        .containsExactly(List.of(), List.of(0, 1, 2));
    assertThat(pruned(new PruneCount(3), MODEL, limits(2)))
        .containsExactly(List.of(3), List.of(0, 1));
    assertThatThrownBy(() -> pruned(new PruneCount(5), MODEL, limits(2)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("5 of 8 experts were to go, 4 can");
  }

  @Test
  void allExpertsMayGoWhereTheUserSaysSo() {
    assertThat(pruned(new PruneCount(4), new Scope.Layer(), limits(0)))
        .containsExactly(List.of(0, 1, 2, 3), List.of(0, 1, 2, 3));
  }

  @Test
  void aCutRouterKeepsAsManyAsItChooses() {
    Profile profile = Profiles.random(3, 2, 4, 2);
    Goal goal = goal(new PruneCount(3), new Scope.Layer(), Plan.Router.CUT, Limits.NONE);

    assertThatThrownBy(() -> Planner.plan(profile, goal))
        .hasMessageContaining("3 of its 4 experts were to go, 2 can: 2 must stay at least");
    assertThatThrownBy(
            () ->
                Planner.plan(
                    profile,
                    goal(new PruneCount(1), new Scope.Layer(), Plan.Router.CUT, limits(1))))
        .hasMessage(
            "min-keep 1 with router cut: the router of block 'layers.0' chooses 2 experts a token");
    assertThat(
            Planner.plan(
                    profile,
                    goal(new PruneCount(2), new Scope.Layer(), Plan.Router.CUT, Limits.NONE))
                .router())
        .isEqualTo(Plan.Router.CUT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"layers.0:3,layers.1:0", "0:3,1:0", " 0 : 3,layers.1:0"})
  void protectedExpertsStay(String text) {
    assertThat(pruned(new PruneCount(1), new Scope.Layer(), limits(1, NamedExperts.parse(text))))
        .containsExactly(List.of(2), List.of(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mlp:3|no block 'mlp'; there are layers.0, layers.1, or 0 to 1",
        "2:0|no block '2'; there are",
        "0:4|block 'layers.0' has no expert 4; its experts are 0 to 3",
        "0:-1|block 'layers.0' has no expert -1",
        "3|found '3', expected BLOCK:EXPERT",
        "0:1,|found '', expected BLOCK:EXPERT",
        "0:x|found '0:x', expected BLOCK:EXPERT",
      })
  void saysWhatThereIsToProtect(String text, String message) {
    assertThatThrownBy(() -> pruned(new PruneCount(1), MODEL, limits(1, NamedExperts.parse(text))))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void saysHowManyAreProtectedWhereTooFewCanGo() {
    assertThatThrownBy(
            () ->
                pruned(
                    new PruneCount(3), new Scope.Layer(), limits(1, NamedExperts.parse("0:0,0:1"))))
        .hasMessage(
            "block 'layers.0': 3 of its 4 experts were to go, 2 can: 2 are protected, 1 must stay"
                + " at least");
  }

  /** {@code numpy.percentile (range (401), 99.5)} is 398: two peaks are above it. */
  @Test
  void theBoundOfSuperExpertsIsInterpolatedAsNumPyDoes() {
    assertThat(superExperts(IntStream.range(0, 401).mapToDouble(i -> i).toArray()))
        .containsExactlyInAnyOrder(399, 400);
    double[] peaks = IntStream.range(0, 101).mapToDouble(i -> 1).toArray();
    peaks[99] = 10;
    peaks[100] = 12; // the percentile is 11
    assertThat(superExperts(peaks)).containsExactly(100);
    peaks[99] = 11.5; // and now 11.75
    assertThat(superExperts(peaks)).containsExactly(100);
  }

  private static Set<Integer> superExperts(double... peaks) {
    long[] calls = IntStream.rangeClosed(1, peaks.length).asLongStream().toArray();
    Profile profile = Profiles.withPeaks(Profiles.counts(calls), peaks);
    return new SuperExperts().of(Measurements.of(profile).blocks()).values().iterator().next();
  }

  /** Of 400 peaks the 99.5th percentile lies between the third and the second largest. */
  @Test
  void superExpertsStandOutFromAllOthers() {
    long[] rising = IntStream.rangeClosed(1, 200).asLongStream().toArray();
    double[] peaks = Collections.nCopies(400, 1.0).stream().mapToDouble(x -> x).toArray();
    peaks[0] = 100;
    peaks[1] = 9;
    peaks[200] = 50;
    Profile profile = Profiles.withPeaks(Profiles.counts(rising, rising), peaks);
    Goal goal =
        goal(new PruneCount(1), new Scope.Layer(), Plan.Router.KEEP, limits(1, new SuperExperts()));

    assertThat(Profiles.pruned(Planner.plan(profile, goal)))
        .containsExactly(List.of(1), List.of(1));
  }

  @Test
  void peaksThatAreAlikeProtectNobody() {
    Profile profile =
        Profiles.withPeaks(PROFILE, DoubleStream.generate(() -> 5).limit(8).toArray());
    Goal goal =
        goal(new PruneCount(1), new Scope.Layer(), Plan.Router.KEEP, limits(1, new SuperExperts()));

    assertThat(Profiles.pruned(Planner.plan(profile, goal)))
        .containsExactly(List.of(3), List.of(0));
  }

  @Test
  void whatEveryPlanMustHoldToHolds() {
    for (int seed = 0; seed < 20; seed++) {
      Profile profile = Profiles.random(seed, 4, 12, 3);
      for (Criterion criterion : Criteria.all(seed)) {
        holds(
            profile,
            new Goal(
                criterion,
                Novice.MEAN,
                Plan.Router.KEEP,
                new PruneCount(1 + seed),
                MODEL,
                limits(seed % 5, NamedExperts.parse(String.join(",", HELD))),
                Optional.empty()));
      }
    }
  }

  /** The number is exact, limits are kept, and no lower score stays that could have gone. */
  private static void holds(Profile profile, Goal goal) {
    Plan plan = Planner.plan(profile, goal);
    int number = ((PruneCount) goal.amount()).number();
    int least = goal.limits().minKeep().getAsInt();
    double highest = Double.NEGATIVE_INFINITY;
    double lowest = Double.POSITIVE_INFINITY;
    int found = 0;
    for (int i = 0; i < plan.blocks().size(); i++) {
      Plan.Block block = plan.blocks().get(i);
      double[] scores = goal.criterion().scores(profile.blocks().get(i));
      found += block.pruned().size();
      assertThat(block.experts() - block.pruned().size()).isGreaterThanOrEqualTo(least);
      for (int expert = 0; expert < scores.length; expert++) {
        if (block.pruned().contains(expert)) {
          highest = Math.max(highest, scores[expert]);
        } else if (!HELD.contains(i + ":" + expert)
            && block.experts() - block.pruned().size() > least) {
          lowest = Math.min(lowest, scores[expert]);
        }
      }
    }
    assertThat(found).isEqualTo(number);
    assertThat(plan.pruned("layers.0")).doesNotContain(1);
    assertThat(plan.pruned("layers.2")).doesNotContain(5);
    assertThat(lowest).isGreaterThanOrEqualTo(highest);
  }

  private static List<List<Integer>> pruned(Amount amount, Scope scope, Limits limits) {
    return Profiles.pruned(Planner.plan(PROFILE, goal(amount, scope, Plan.Router.KEEP, limits)));
  }

  private static Limits limits(int minKeep, Protection... protections) {
    return new Limits(OptionalInt.of(minKeep), List.of(protections));
  }

  private static Goal goal(Amount amount, Scope scope, Plan.Router router, Limits limits) {
    return new Goal(
        Criteria.named("frequency"), Novice.MEAN, router, amount, scope, limits, Optional.empty());
  }
}
