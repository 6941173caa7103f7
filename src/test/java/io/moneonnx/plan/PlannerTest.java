package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.plan.criterion.Criterion;
import io.moneonnx.profile.Profile;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PlannerTest {
  private static final Criterion FREQUENCY = Criteria.named("frequency");

  @Test
  void takesTheLowestScoresAndTiesByTheLowerIndex() {
    Plan plan =
        Planner.plan(
            Profiles.counts(counts(7, 3, 5, 3, 3, 9)), Goal.of(FREQUENCY, Ratio.parse("0.34")));

    assertThat(plan.pruned("layers.0")).containsExactly(1, 3);
    assertThat(plan.criterion()).contains("frequency");
    assertThat(plan.ratio().orElseThrow()).isEqualByComparingTo("0.34");
  }

  @Test
  void takesExpertsThatWereNeverChosenFirst() {
    Plan plan =
        Planner.plan(
            Profiles.counts(counts(1, 2, 0, 1)),
            Goal.of(Criteria.named("mone"), Ratio.parse("0.25")));

    assertThat(plan.pruned("layers.0")).containsExactly(2);
  }

  @Test
  void prunesWhereverARatioReachesOneExpert() {
    Plan plan =
        Planner.plan(
            Profiles.counts(counts(1, 2), counts(4, 3, 2, 1)),
            Goal.of(FREQUENCY, Ratio.parse("0.3")));

    assertThat(plan.pruned("layers.0")).isEmpty();
    assertThat(plan.pruned("layers.1")).containsExactly(3);
  }

  @ParameterizedTest
  @CsvSource({"0.29, 100, 29", "0.25, 64, 16", "0.5, 5, 2", "0.999, 8, 7", "0.0625, 16, 1"})
  void roundsDown(String ratio, int experts, int pruned) {
    long[] n = LongStream.range(0, experts).toArray();

    assertThat(
            Planner.plan(Profiles.counts(n), Goal.of(FREQUENCY, Ratio.parse(ratio)))
                .pruned("layers.0"))
        .hasSize(pruned);
  }

  @Test
  void saysWhichRatioWouldPruneOne() {
    Profile profile = Profiles.counts(counts(1, 2, 3), counts(1, 2, 3, 4, 5, 6));

    assertThatThrownBy(() -> Planner.plan(profile, Goal.of(FREQUENCY, Ratio.parse("0.1"))))
        .isInstanceOf(BadInputException.class)
        .hasMessage("ratio 0.1 prunes no expert: of 6, ratio 0.167 would prune one");
    assertThat(Planner.plan(profile, Goal.of(FREQUENCY, Ratio.parse("0.167"))).pruned("layers.1"))
        .hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "-1", "0.0", "1.5", "half", "", "NaN", "1e-400000000"})
  void refusesWhatIsNoRatio(String text) {
    Profile profile = Profiles.counts(counts(1, 2));

    assertThatThrownBy(() -> Planner.plan(profile, Goal.of(FREQUENCY, Ratio.parse(text))))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("ratio ");
  }

  private static long[] counts(long... n) {
    return n;
  }
}
