package io.moneonnx.pipeline;

import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.BlockHeaders;
import io.moneonnx.plan.Forecast;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.plan.PruneCount;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a profile promises of a file's size, beside the bytes that are written. */
class FileSizeTest {
  @TempDir private Path folder;

  static List<Expected> taken() throws IOException {
    return RealExports.taken();
  }

  @ParameterizedTest
  @MethodSource("taken")
  void isAnUpperBoundWhereverTheWeightsGo(Expected expected) {
    LoadedModel subject = LoadedModel.open(expected.file(), Target.CPU);
    Profile profile = nothingMeasured(subject);
    SoftAssertions softly = new SoftAssertions();
    for (int count : List.of(1, expected.experts() / 2, expected.experts() - 1)) {
      Plan plan = Planner.plan(profile, Goal.of(Criteria.DEFAULT, new PruneCount(count)));
      long promised = Forecast.of(profile, plan, Novice.MEAN).bytes();
      for (Placement placement : Placement.values()) {
        softly
            .assertThat(written(subject, profile, plan, placement))
            .as("%d of %d experts gone, %s", count, expected.experts(), placement)
            .isLessThanOrEqualTo(promised);
      }
    }
    softly.assertAll();
  }

  private static Profile nothingMeasured(LoadedModel subject) {
    return new Profile(
        subject.fingerprint(),
        subject.bytes(),
        List.of(),
        subject.blocks().stream().map(BlockHeaders::of).map(BlockStatistics::empty).toList());
  }

  private long written(LoadedModel subject, Profile profile, Plan plan, Placement placement) {
    return new Rewrite(subject, RunOptions.cpu(), new Silence())
        .run(
            new Rewrite.Request(
                folder.resolve("small.onnx"), Novice.MEAN, Optional.of(placement), true, false),
            profile,
            plan,
            Optional.empty())
        .written()
        .bytes();
  }
}
