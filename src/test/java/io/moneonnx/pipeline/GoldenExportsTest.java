package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.RealExports;
import io.moneonnx.RealExports.Expected;
import io.moneonnx.data.Batch;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.RandomFeeds;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.Target;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.golden.Golden;
import io.moneonnx.verify.golden.GoldenCheck;
import io.moneonnx.verify.golden.GoldenReport;
import io.moneonnx.verify.golden.Recorder;
import io.moneonnx.verify.golden.Tolerance;
import io.moneonnx.verify.golden.WatchedModel;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What real exporters wrote is recorded with its routers, and holds with another thread. */
final class GoldenExportsTest {
  static List<Expected> taken() throws IOException {
    return RealExports.taken();
  }

  @ParameterizedTest
  @MethodSource("taken")
  void holdsWithAnotherThread(Expected export) {
    LoadedModel subject = LoadedModel.open(export.file(), Target.CPU);
    Optional<String> tokens = ModelInputs.of(subject.model().graph()).tokens().map(Value::name);
    Golden golden;
    try (WatchedModel model = open(subject, 1)) {
      Recorder recorder = new Recorder(model, tokens);
      recorder.add(feeds(subject));
      int routings = subject.findings().routings().size();
      assertThat(routings).isGreaterThanOrEqualTo(export.blocks());
      assertThat(recorder.watched()).isEqualTo(tokens.isEmpty() ? 0 : routings);
      golden = recorder.golden(Map.of());
    }
    try (WatchedModel model = open(subject, 2)) {
      GoldenCheck check = new GoldenCheck(golden, model, Tolerance.DEFAULT);
      assertThat(check.inputs()).isEmpty();
      check.add(0);
      GoldenReport report = check.report();
      assertThat(report.holds()).as(report.toString()).isTrue();
    }
  }

  private static Batch feeds(LoadedModel subject) {
    return Batch.of(RandomFeeds.of(subject.model().graph(), List.of()).orElseThrow().make(2, 7, 1));
  }

  private static WatchedModel open(LoadedModel subject, int threads) {
    return RecordGolden.open(subject, new RunOptions(new Device.Cpu(), threads, notice -> {}));
  }
}
