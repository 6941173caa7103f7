package io.moneonnx.results;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.eval.Evaluation;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.ModelChanges;
import io.moneonnx.eval.Scores;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.pipeline.LanguageModel;
import io.moneonnx.pipeline.LoadedModel;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A trained model with its tokens: calibrated in steps, and tried. */
final class TrainedModel implements AutoCloseable {
  /** One thread: several models run beside each other. */
  private static final RunOptions OPTIONS = new RunOptions(new Device.Cpu(), 1, notice -> {});

  private static final int WINDOWS_IN_A_RUN = 8;

  /** Windows of 256 tokens after which a profile is kept. */
  private static final List<Integer> MARKS = List.of(16, 32, 64, 128, 256, 512);

  private static final Map<String, Integer> WINDOWS = Map.of("8k", 32, "32k", 128, "128k", 512);

  private final Path folder;
  private final LoadedModel subject;
  private final Evaluation evaluation;
  private final Map<String, Profile> profiles = new HashMap<>();
  private final Map<Same, Scores> known = new HashMap<>();

  /** What decides on a score. */
  private record Same(String profile, List<Plan.Block> blocks, String treatment) {}

  TrainedModel(Path folder, String export) {
    this.folder = folder;
    this.subject = LoadedModel.open(folder.resolve(export + ".onnx"), Target.CPU);
    this.evaluation =
        Evaluation.open(
            subject.model(),
            subject.folder(),
            subject.blocks(),
            new LanguageModel(subject.read()).requireNextToken(),
            OPTIONS);
  }

  Scores unpruned() {
    return scores(ModelChanges.NONE);
  }

  Scores scores(Cell cell) {
    String name = cell.source() + cell.size();
    if (!profiles.containsKey(name)) {
      profiles.put(name, profile(cell.source(), cell.size()));
    }
    Profile profile = profiles.get(name);
    Goal goal = cell.goal(subject.blocks().get(0).topK());
    Plan plan = Planner.plan(profile, goal);
    Same same = new Same(name, plan.blocks(), cell.treatment());
    Scores before = known.get(same);
    Scores scores = before == null ? scores(ModelChanges.of(plan, goal.novice(), profile)) : before;
    known.put(same, scores);
    return scores;
  }

  /** Half of each source where there are two. */
  private Profile profile(String source, String size) {
    int windows = WINDOWS.get(size);
    return source.length() == 1
        ? part(source, windows)
        : merged(part("A", windows / 2), part("B", windows / 2));
  }

  /** The first windows of a source; what is measured once is not measured again. */
  private Profile part(String source, int windows) {
    String name = source + windows;
    if (!profiles.containsKey(name)) {
      int before = MARKS.indexOf(windows) - 1;
      Profile last =
          before < 0
              ? measured(source, 0, windows)
              : merged(
                  part(source, MARKS.get(before)), measured(source, MARKS.get(before), windows));
      profiles.put(name, last);
    }
    return profiles.get(name);
  }

  private Profile measured(String source, int from, int to) {
    List<Map<String, Tensor>> runs = feeds(source + ".calib", to);
    Calibrator calibrator =
        new Calibrator(subject.model(), subject.folder(), subject.blocks(), OPTIONS);
    Calibrator.Outcome outcome =
        calibrator.run(runs.subList(from / WINDOWS_IN_A_RUN, to / WINDOWS_IN_A_RUN));
    if (!outcome.disproved().isEmpty()) {
      throw new IllegalStateException(outcome.disproved().toString());
    }
    return profile(outcome.statistics());
  }

  private Profile merged(Profile some, Profile others) {
    List<BlockStatistics> blocks = new ArrayList<>();
    for (int i = 0; i < some.blocks().size(); i++) {
      blocks.add(some.blocks().get(i).merge(others.blocks().get(i)));
    }
    return profile(blocks);
  }

  private Profile profile(List<BlockStatistics> blocks) {
    return new Profile(subject.fingerprint(), subject.files().bytes(), List.of(), blocks);
  }

  private Scores scores(ModelChanges treatment) {
    Map<String, Losses> losses = new LinkedHashMap<>();
    for (String domain : List.of("A", "B")) {
      losses.put(
          domain, evaluation.losses(treatment, feeds(domain + ".test24", Integer.MAX_VALUE)));
    }
    return new Scores(losses);
  }

  private List<Map<String, Tensor>> feeds(String tokens, int windows) {
    CalibrationOptions options =
        new CalibrationOptions(
            OptionalInt.empty(),
            OptionalInt.of(windows),
            OptionalInt.of(WINDOWS_IN_A_RUN),
            Optional.empty(),
            Optional.empty());
    Calibration data =
        Calibration.open(
            DataSource.untagged(List.of(folder.resolveSibling("tokens/" + tokens + ".npz"))),
            new ModelFolder(folder),
            subject.model().graph(),
            options);
    List<Map<String, Tensor>> feeds = new ArrayList<>();
    for (Batch batch : data) {
      feeds.add(batch.feeds());
    }
    return feeds;
  }

  @Override
  public void close() {
    evaluation.close();
  }
}
