package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class NormalisationTest {
  @Test
  void rawScoresTakeWhatIsLowestOfAll() {
    Profile profile = Profiles.counts(new long[] {1, 2, 3}, new long[] {100, 300, 500});

    assertThat(first(profile, "frequency", Normalisation.NONE))
        .containsExactly(List.of(0), List.of());
  }

  /** The means are 2 and 300: of these 1 and 100 are a half and a third. */
  @Test
  void theBlocksMeanMakesBlocksOfDifferentScaleComparable() {
    Profile profile = Profiles.counts(new long[] {1, 2, 3}, new long[] {100, 300, 500});

    assertThat(first(profile, "frequency", Normalisation.BLOCK))
        .containsExactly(List.of(), List.of(0));
  }

  @Test
  void expertsNeverChosenGoFirstHoweverScoresAreDivided() {
    Profile profile = Profiles.counts(new long[] {1, 2, 3}, new long[] {100, 0, 500});

    for (Normalisation normalisation : Normalisation.values()) {
      assertThat(first(profile, "frequency", normalisation)).containsExactly(List.of(), List.of(1));
    }
  }

  @Test
  void residualsAreDividedByTheEnergyOfTheOutput() {
    Profile profile = everyExpertChosen();
    List<Double> lowest =
        profile.blocks().stream()
            .map(block -> lowestResidual(block) / block.get(Statistic.Y2, 0))
            .toList();
    int wanted =
        IntStream.range(0, lowest.size())
            .boxed()
            .min(Comparator.comparingDouble(lowest::get))
            .orElseThrow();

    assertThat(first(profile, "residual", Normalisation.RESIDUAL).get(wanted)).hasSize(1);
  }

  private static Profile everyExpertChosen() {
    return Stream.iterate(0L, seed -> seed + 1)
        .map(seed -> Profiles.random(seed, 3, 4, 2))
        .filter(
            profile -> profile.blocks().stream().allMatch(block -> block.neverChosen().isEmpty()))
        .findFirst()
        .orElseThrow();
  }

  private static double lowestResidual(BlockStatistics block) {
    return block.get(Statistic.R2).stream().min().orElseThrow();
  }

  private static List<List<Integer>> first(
      Profile profile, String criterion, Normalisation normalisation) {
    return Profiles.pruned(
        Planner.plan(
            profile,
            new Goal(
                Criteria.named(criterion),
                Novice.MEAN,
                Plan.Router.KEEP,
                new PruneCount(1),
                new Scope.Model(normalisation),
                Limits.NONE,
                Optional.empty())));
  }
}
