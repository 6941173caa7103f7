package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.plan.criterion.Criterion;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.RandomTokens;
import io.moneonnx.profile.Statistic;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ForecastTest {
  private static final Profile PROFILE = Profiles.random(5, 3, 8, 4);
  private static final Goal GOAL = Goal.of(Criteria.DEFAULT, new PruneCount(3));

  @Test
  void sharesAreThoseOfRoutedCalls() {
    Profile profile = Profiles.counts(new long[] {40, 30, 20, 10}, new long[] {1, 2, 3, 94});
    Plan plan = Planner.plan(profile, Goal.of(Criteria.named("frequency"), new PruneCount(1)));

    Forecast forecast = Forecast.of(profile, plan, Novice.MEAN);

    assertThat(forecast.blocks().get(0).share()).isEqualTo(0.1);
    assertThat(forecast.blocks().get(1).share()).isEqualTo(0.01);
    assertThat(forecast.share()).isEqualTo(0.055);
  }

  /** Straight from the definition: the sum of g^2 ||f - novice||^2 over the calls. */
  @ParameterizedTest
  @EnumSource(Novice.class)
  void residualsFollowTheNovice(Novice novice) {
    RandomTokens tokens = RandomTokens.of(40, 3, 11);
    BlockStatistics block = tokens.statistics(0, 40);
    float[] vector = novice.of(block, 1);

    assertThat(novice.residual(block, 1))
        .isCloseTo(tokens.squaredError(1, vector), within(1e-5 * block.get(Statistic.B2).get(1)));
  }

  @Test
  void errorsAreRelativeToTheBlocksOutput() {
    BlockStatistics block = PROFILE.blocks().get(0);
    Plan plan =
        Plan.of("m", Plan.Router.KEEP, List.of(new Plan.Block("layers.0", 8, List.of(2, 4))));

    Forecast forecast = Forecast.of(PROFILE, plan, Novice.GATE2);

    assertThat(forecast.blocks().get(0).error().getAsDouble())
        .isCloseTo(
            Math.sqrt(
                (block.get(Statistic.R2).get(2) + block.get(Statistic.R2).get(4))
                    / block.get(Statistic.Y2, 0)),
            within(1e-12));
    assertThat(forecast.blocks().get(1).error()).hasValue(0);
    assertThat(forecast.worst().orElseThrow().name()).isEqualTo("layers.0");
  }

  @Test
  void noErrorIsPredictedForACutRouter() {
    Plan plan =
        Plan.of("m", Plan.Router.CUT, List.of(new Plan.Block("layers.0", 8, List.of(2, 4))));

    assertThat(Forecast.of(PROFILE, plan, Novice.MEAN).worst()).isEmpty();
  }

  @Test
  void marginsAreRelativeToTheFirstThatStays() {
    Profile profile = Profiles.counts(new long[] {40, 30, 20, 10}, new long[] {0, 0, 5, 95});
    Goal goal = Goal.of(Criteria.named("frequency"), new PruneCount(2));

    assertThat(Margins.of(profile, goal, Planner.plan(profile, goal)).blocks())
        .containsExactly(OptionalDouble.of(1 / 3.0), OptionalDouble.of(1));
    Plan byHand =
        Plan.of("m", Plan.Router.KEEP, List.of(new Plan.Block("layers.0", 4, List.of(0))));
    assertThat(Margins.of(profile, goal, byHand).blocks())
        .containsExactly(OptionalDouble.empty(), OptionalDouble.empty());
  }

  @Test
  void leavingNothingOutReproducesEveryPlan() {
    for (int seed = 0; seed < 5; seed++) {
      Profile profile = Profiles.random(seed, 3, 16, 4);
      Measurements all = new Shards(profile, Measurements.of(profile)).of(shard -> true);

      assertThat(all).isEqualTo(Measurements.of(profile));
      for (Criterion criterion : Criteria.all(0)) {
        Goal goal = Goal.of(criterion, new PruneCount(5));
        assertThat(Planner.select(all, goal))
            .isEqualTo(Planner.select(Measurements.of(profile), goal));
      }
    }
  }

  @Test
  void leavesOneShardOutAtATime() {
    Shards shards = new Shards(PROFILE, Measurements.of(PROFILE));
    List<Measurements> left = shards.leavingOneOut();

    assertThat(left).hasSize(8);
    for (int number : shards.numbers()) {
      Measurements.Block part = left.get(number).blocks().get(0);
      Measurements.Block alone = shards.of(shard -> shard != number).blocks().get(0);
      for (int expert = 0; expert < 8; expert++) {
        assertThat(part.sums().get(Statistic.N, expert))
            .isEqualTo(alone.sums().get(Statistic.N, expert));
        assertThat(part.sums().get(Statistic.M2, expert))
            .isCloseTo(alone.sums().get(Statistic.M2, expert), withinPercentage(1e-9));
      }
    }
  }

  @Test
  void decisionsThatFlipInAnyReplanAreUnstable() {
    Stability stability = Stability.of(PROFILE, GOAL).orElseThrow();
    Plan plan = Planner.plan(PROFILE, GOAL);

    assertThat(stability.shards()).isEqualTo(8);
    for (Measurements part : new Shards(PROFILE, Measurements.of(PROFILE)).leavingOneOut()) {
      Selection other = Planner.select(part, GOAL);
      for (int block = 0; block < 3; block++) {
        for (int expert : IntStream.range(0, 8).toArray()) {
          boolean flips =
              other.of(block).contains(expert)
                  != plan.blocks().get(block).pruned().contains(expert);
          assertThat(flips && !stability.unstable().get(block).contains(expert)).isFalse();
        }
      }
    }
  }

  @Test
  void clearDecisionsAreStableAndNarrowOnesAreNot() {
    Goal goal = Goal.of(Criteria.named("frequency"), new PruneCount(1));

    assertThat(stability(goal, new long[][] {{1, 2, 9}, {1, 2, 9}}).count()).isZero();
    Stability narrow = stability(goal, new long[][] {{1, 9, 90}, {5, 1, 90}});
    assertThat(narrow.unstable().get(0)).containsExactly(0, 1);
  }

  private static Stability stability(Goal goal, long[][] shards) {
    BlockHeader header = Profiles.counts(shards[0]).blocks().get(0).header();
    BlockStatistics block =
        IntStream.range(0, shards.length)
            .mapToObj(
                shard ->
                    Profiles.counts(shards[shard]).blocks().get(0).ofBatch(shard, Optional.empty()))
            .reduce(BlockStatistics.empty(header), BlockStatistics::merge);
    return Stability.of(new Profile("m", 1, List.of(), List.of(block)), goal).orElseThrow();
  }

  @Test
  void stabilityIsNotKnownOfOneShard() {
    Profile none = Profiles.counts(new long[] {1, 2, 3});
    BlockStatistics block = none.blocks().get(0);
    Profile one = new Profile("m", 1, List.of(), List.of(block.ofBatch(0, Optional.empty())));
    Goal goal = Goal.of(Criteria.DEFAULT, new PruneCount(1));

    assertThat(Stability.of(none, goal)).isEmpty();
    assertThat(Stability.of(one, goal)).isEmpty();
  }

  @Test
  void whatWasSeenTooLittleIsNamed() {
    BlockStatistics code =
        Profiles.counts(new long[] {0, 200, 0, 400})
            .blocks()
            .get(0)
            .ofBatch(0, Optional.of("code"));
    BlockStatistics prose =
        Profiles.counts(new long[] {0, 0, 4, 5}).blocks().get(0).ofBatch(1, Optional.of("prose"));
    BlockStatistics little = Profiles.counts(new long[] {5, 6}).blocks().get(0);

    CalibrationGaps gaps =
        CalibrationGaps.of(new Profile("m", 1, List.of(), List.of(code.merge(prose), little)));

    assertThat(gaps.neverChosen())
        .containsExactly(new CalibrationGaps.Unseen("layers.0", List.of(0)));
    assertThat(gaps.starved()).containsExactly(new CalibrationGaps.Starved("layers.0", 5.5));
    assertThat(gaps.holes())
        .containsExactly(
            new CalibrationGaps.Hole("code", "layers.0", List.of(2)),
            new CalibrationGaps.Hole("prose", "layers.0", List.of(1)));
  }
}
