package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Limits;
import io.moneonnx.plan.Normalisation;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.plan.Profiles;
import io.moneonnx.plan.PruneCount;
import io.moneonnx.plan.Scope;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.Profile;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PlanReportTest {
  @Test
  void saysWhatAPlanDoesAndWhatItCosts() {
    Profile profile = Profiles.random(4, 3, 8, 4);
    Goal goal =
        new Goal(
            Criteria.DEFAULT,
            Novice.GATE2,
            Plan.Router.KEEP,
            new PruneCount(9),
            new Scope.Model(Normalisation.NONE),
            Limits.NONE,
            Optional.empty());

    assertThat(new PlanReport(profile, goal, Planner.plan(profile, goal)).text())
        .isEqualTo(
            """
            block     experts  pruned  calls  error  margin  which
            layers.0        8       2   0.0%   0.0%  100.0%  4 5 or 3
            layers.1        8       3   5.2%   7.6%    7.9%  4 6 unsure 3 or 0
            layers.2        8       4   5.5%   7.2%   74.2%  2 4 5 unsure 6
            plan     mone, prune-count 9, scope model; novice gate2, router keep: 9 of 24 experts
            calls    2.3% of the routed calls meet a novice
            error    largest in layers.1
            unstable 4 decisions flip when one of 8 shards of the data is left out (spreads pooled within shards: an approximation)
            size     at most 2,540,200 bytes, of 3,400,000
            note     blocks keep different numbers of experts, 4 to 6: some runtimes want equal ones
            never    layers.0: no token chose 4 5
            never    layers.1: no token chose 4
            never    layers.2: no token chose 2 5
            starved  layers.2: 96.0 calls an expert are too few to tell experts apart
            """);
  }

  @ParameterizedTest
  @CsvSource({"'', ''", "'0', '0'", "'0 1', '0 1'", "'0 1 2', '0-2'", "'0 2 3 4 5 9', '0 2-5 9'"})
  void listsExpertsInShort(String numbers, String text) {
    List<Integer> experts =
        List.of(numbers.split(" ")).stream()
            .filter(number -> !number.isEmpty())
            .map(Integer::valueOf)
            .toList();

    assertThat(ExpertList.of(experts)).isEqualTo(text);
  }
}
