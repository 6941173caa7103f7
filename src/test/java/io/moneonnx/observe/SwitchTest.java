package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Tensor;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tokens for which their expert had no capacity. */
final class SwitchTest {
  @Test
  void areNotCounted() {
    Map<String, Tensor> feeds = SwitchMoe.feeds(9);
    Calibrator.Outcome outcome =
        new Calibrator(
                Canonical.of(SwitchMoe.model()).model(),
                Path.of(""),
                List.of(SwitchMoe.block()),
                RunOptions.cpu())
            .run(List.of(feeds));
    long[] kept = TinyMoe.run(SwitchMoe.model(), feeds, List.of("kept")).get("kept").toLongs();
    long[] rows = new long[SwitchMoe.EXPERTS];
    for (int i = 0; i < kept.length; i++) {
      rows[i % rows.length] += kept[i];
    }
    BlockStatistics found = outcome.statistics().get(0);

    assertThat(outcome.disproved()).isEmpty();
    assertThat(found.get(Statistic.N)).isEqualTo(Values.counts(rows));
    assertThat(found.get(Statistic.T).count(0)).isEqualTo(Arrays.stream(rows).sum()).isLessThan(18);
  }
}
