package io.moneonnx.verify.golden;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Models in memory that are recorded, and held against what was recorded. */
final class Recordings {
  private Recordings() {}

  static Model model(String text) {
    return new Model(GraphText.parse(text), 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
  }

  /** One run of one sequence, called by name. */
  static Batch fed(Map<String, Tensor> feeds) {
    return new Batch(feeds, Optional.empty(), List.of("sequence 0 of book.txt"));
  }

  static WatchedModel open(Model model, int threads) {
    return WatchedModel.open(
        "model",
        model,
        Path.of(""),
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).routings(),
        new RunOptions(new Device.Cpu(), threads, notice -> {}));
  }

  /** Records a model whose tokens are its input {@code x}. */
  static Golden record(Model model, Batch... runs) {
    try (WatchedModel open = open(model, 1)) {
      Recorder recorder = new Recorder(open, Optional.of("x"));
      List.of(runs).forEach(recorder::add);
      return recorder.golden(Map.of());
    }
  }

  static GoldenReport check(Golden golden, Model model) {
    return check(golden, model, Tolerance.DEFAULT);
  }

  static GoldenReport check(Golden golden, Model model, Tolerance tolerance) {
    try (WatchedModel open = open(model, 1)) {
      GoldenCheck check = new GoldenCheck(golden, open, tolerance);
      List<String> wrong = check.inputs();
      if (!wrong.isEmpty()) {
        return check.refused(wrong);
      }
      for (int run = 0; run < golden.runs().size(); run++) {
        check.add(run);
      }
      return check.report();
    }
  }
}
