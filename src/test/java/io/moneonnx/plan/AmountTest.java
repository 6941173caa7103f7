package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class AmountTest {
  /** By frequency: 3 goes first, and in the other block 0. */
  private static final Profile PROFILE =
      Profiles.counts(new long[] {40, 30, 20, 10}, new long[] {1, 2, 3, 94});

  private static final Scope MODEL = new Scope.Model(Normalisation.NONE);

  @Test
  void aCountIsOfEachBlockOrOfTheModel() {
    assertThat(pruned(new PruneCount(2), new Scope.Layer()))
        .containsExactly(List.of(2, 3), List.of(0, 1));
    assertThat(pruned(new PruneCount(4), MODEL)).containsExactly(List.of(3), List.of(0, 1, 2));
  }

  @Test
  void aRatioOfTheModelLetsCountsDiffer() {
    assertThat(pruned(Ratio.parse("0.25"), new Scope.Layer()))
        .containsExactly(List.of(3), List.of(0));
    assertThat(pruned(Ratio.parse("0.4"), MODEL)).containsExactly(List.of(), List.of(0, 1, 2));
  }

  @Test
  void countsThatCannotBeMetSayWhatCan() {
    assertThatThrownBy(() -> pruned(new PruneCount(4), new Scope.Layer()))
        .isInstanceOf(BadInputException.class)
        .hasMessage("block 'layers.0': 4 of its 4 experts were to go, 3 can: 1 must stay at least");
    assertThatThrownBy(() -> pruned(new PruneCount(7), MODEL))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("7 of 8 experts were to go, 6 can");
    assertThatThrownBy(() -> new PruneCount(0)).isInstanceOf(BadInputException.class);
  }

  @Test
  void allThresholdsMustBePassed() {
    // Shares are 0.4, 0.3, 0.2, 0.1 and 0.01, 0.02, 0.03, 0.94. V is 1 / (n - 1).
    assertThat(pruned(thresholds(0.025, null), new Scope.Layer()))
        .containsExactly(List.of(), List.of(0, 1));
    // The mean norm is 4 / 100: the spreads are 4, 4.6, 5.7, 8.3 and 25, 25, 17.7, 2.6.
    assertThat(pruned(thresholds(null, 5.0), new Scope.Layer()))
        .containsExactly(List.of(0, 1), List.of(3));
    assertThat(pruned(thresholds(0.35, 5.0), new Scope.Layer()))
        .containsExactly(List.of(1), List.of());
  }

  /**
   * Shares are 1/8, 3/8 and 4/8; of the other block, with two calls and six, spreads are 4 and 1.8.
   */
  @Test
  void whatLiesAtAThresholdIsNotBelowIt() {
    Profile shares = Profiles.counts(new long[] {1, 3, 4});
    Profile spreads = Profiles.counts(new long[] {2, 6});

    assertThat(Profiles.pruned(Planner.plan(shares, goal(thresholds(0.375, null)))))
        .containsExactly(List.of(0));
    assertThat(Profiles.pruned(Planner.plan(shares, goal(thresholds(Math.nextUp(0.375), null)))))
        .containsExactly(List.of(0, 1));
    assertThat(Profiles.pruned(Planner.plan(spreads, goal(thresholds(null, 4.0)))))
        .containsExactly(List.of(1));
  }

  @Test
  void expertsThatPutOutNothingHaveNoSpread() {
    BlockStatistics silent =
        MadeStatistics.of(new BlockHeader("layers.0", "SparseLoop", 2, 1, 1, 0, 1))
            .with(Statistic.N, 1, 99)
            .with(Statistic.T, 100)
            .block();
    Profile profile = new Profile("sha256:0", 1000, List.of(), List.of(silent));

    assertThat(Profiles.pruned(Planner.plan(profile, goal(thresholds(0.5, 0.1)))))
        .containsExactly(List.of(0));
  }

  @Test
  void expertsNeverChosenLieBelowEveryThreshold() {
    Profile profile = Profiles.counts(new long[] {9, 0, 9}, new long[] {0, 0, 0});

    assertThat(Profiles.pruned(Planner.plan(profile, goal(thresholds(null, 1e-9)))))
        .containsExactly(List.of(1), List.of());
  }

  @Test
  void thresholdsThatCannotBeMetSayWhatCan() {
    assertThatThrownBy(() -> pruned(thresholds(0.001, null), new Scope.Layer()))
        .hasMessage(
            "no expert lies below frequency-below 0.001; the lowest share of calls is 0.0100");
    assertThatThrownBy(() -> pruned(thresholds(1.0, null), new Scope.Layer()))
        .hasMessageContaining("block 'layers.0': 4 of its 4 experts lie below")
        .hasMessageContaining("3 can go");
    assertThatThrownBy(() -> pruned(thresholds(0.1, null), MODEL))
        .hasMessageContaining("frequency-below 0.1 with scope model");
    assertThatThrownBy(() -> thresholds(-1.0, null)).hasMessageContaining("found -1.0");
  }

  @ParameterizedTest
  @CsvSource({
    "12345,  12345",
    "500MB,  500000000",
    "3.5GiB, 3758096384",
    "3.5 gib, 3758096384",
    "1.5kB,  1500",
    "2KiB,   2048",
    "1b,     1"
  })
  void readsSizes(String text, long bytes) {
    assertThat(TargetSize.parse(text).bytes()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "GB",
        "-1MB",
        "1e9",
        "5 apples",
        "1.GB",
        "0",
        "0.1b",
        "1G",
        "99999999999999999999"
      })
  void refusesWhatIsNoSize(String text) {
    assertThatThrownBy(() -> TargetSize.parse(text))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("expected a size such as 3.5GiB");
  }

  /** Of 3.4 MB, an expert of which has 100 kB. */
  @ParameterizedTest
  @ValueSource(longs = {3_350_000, 3_000_000, 2_222_222, 1_600_000})
  void aSizeTakesAsFewExpertsAsReachIt(long bytes) {
    Profile profile = Profiles.random(1, 3, 8, 4);
    for (Scope scope : List.of(new Scope.Layer(), MODEL)) {
      Plan plan = Planner.plan(profile, goal(TargetSize.parse("" + bytes), scope));
      int number = plan.blocks().stream().mapToInt(block -> block.pruned().size()).sum();
      int step = scope.equals(MODEL) ? 1 : 3;

      assertThat(bytes(profile, plan)).isLessThanOrEqualTo(bytes);
      if (number > step) {
        PruneCount fewer = new PruneCount(number / step - 1);
        assertThat(bytes(profile, Planner.plan(profile, goal(fewer, scope)))).isGreaterThan(bytes);
      }
    }
  }

  private static long bytes(Profile profile, Plan plan) {
    return Forecast.of(profile, plan, Novice.MEAN).bytes();
  }

  @Test
  void sizesThatCannotBeMetSayWhatCan() {
    assertThatThrownBy(() -> pruned(TargetSize.parse("1MB"), MODEL))
        .hasMessageMatching(
            "target-size 1MB cannot be met: without all experts that can go \\(6 of 8\\) the file"
                + " has up to 1,2..,... bytes");
    assertThatThrownBy(() -> pruned(TargetSize.parse("2GB"), MODEL))
        .hasMessage("target-size 2GB prunes no expert: the model has 1,800,000 bytes");
  }

  @Test
  void aSweepEndsWithItsLastRatio() {
    assertThat(RatioSweep.parse("0.1:0.5:0.1").ratios().stream().map(Ratio::toString))
        .containsExactly("ratio 0.1", "ratio 0.2", "ratio 0.3", "ratio 0.4", "ratio 0.5");
    assertThat(RatioSweep.parse("0.1:0.35:0.1").ratios()).hasSize(3);
    assertThat(RatioSweep.parse("0.3").ratios()).containsExactly(Ratio.parse("0.3"));
  }

  @Test
  void ratiosAreNumbersOrPercent() {
    assertThat(Ratio.parse("12.5%")).isEqualTo(Ratio.parse("0.125"));
    assertThat(RatioSweep.parse("25%").ratios()).containsExactly(Ratio.parse("0.25"));
    assertThatThrownBy(() -> Ratio.parse("100%")).hasMessage("ratio 1 is not between 0 and 1");
    assertThatThrownBy(() -> Ratio.parse("%")).hasMessage("ratio '%' is no number between 0 and 1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0.1:0.5", "0.5:0.1:0.1", "0.1:0.5:0", "0.1:1:0.1", "0.1:0.9:1e-9", "a:b:c"})
  void refusesWhatIsNoSweep(String text) {
    assertThatThrownBy(() -> RatioSweep.parse(text))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("ratio ");
  }

  @Test
  void whatDoesNotHangOnDataIsCheckedBeforeAnyAreThere() {
    long bytes = PROFILE.modelBytes();
    var headers = PROFILE.blocks().stream().map(block -> block.header()).toList();

    goal(Ratio.parse("0.5")).check(bytes, headers);
    goal(thresholds(0.1, null)).check(bytes, headers);
    assertThatThrownBy(() -> goal(Ratio.parse("0.2")).check(bytes, headers))
        .hasMessage("ratio 0.2 prunes no expert: of 4, ratio 0.25 would prune one");
    assertThatThrownBy(() -> goal(TargetSize.parse("1kB")).check(bytes, headers))
        .hasMessageContaining("cannot be met");
  }

  @Test
  void everyAmountPrunesItsNumberExactly() {
    for (int count : IntStream.rangeClosed(1, 6).toArray()) {
      assertThat(pruned(new PruneCount(count), MODEL).stream().mapToInt(List::size).sum())
          .isEqualTo(count);
    }
  }

  private static Thresholds thresholds(Double frequency, Double spread) {
    return new Thresholds(
        frequency == null ? OptionalDouble.empty() : OptionalDouble.of(frequency),
        spread == null ? OptionalDouble.empty() : OptionalDouble.of(spread));
  }

  private static List<List<Integer>> pruned(Amount amount, Scope scope) {
    return Profiles.pruned(Planner.plan(PROFILE, goal(amount, scope)));
  }

  private static Goal goal(Amount amount) {
    return goal(amount, new Scope.Layer());
  }

  private static Goal goal(Amount amount, Scope scope) {
    return new Goal(
        Criteria.named("frequency"),
        Novice.MEAN,
        Plan.Router.KEEP,
        amount,
        scope,
        Limits.NONE,
        Optional.empty());
  }
}
