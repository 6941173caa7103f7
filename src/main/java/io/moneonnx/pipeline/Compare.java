package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.NextToken;
import io.moneonnx.eval.Scores;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Target;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.StreamSupport;

/** Tries plans on held-out data, all in one model that is opened once; writes none. */
public final class Compare {
  private final RunOptions options;
  private final Console console;

  public Compare(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What to try.
   *
   * @param model a file, or a folder with a model in it
   * @param target what the model is meant to run on
   * @param tests files by name; empty for what lies beside the model
   * @param reading how the files are read
   * @param data to re-fit narrow experts on
   * @param refit how many tokens of that they are re-fitted on jointly, if they are
   */
  public record Request(
      Path model,
      Target target,
      Path profile,
      Map<String, Path> tests,
      CalibrationOptions reading,
      List<Goal> goals,
      DataRequest data,
      OptionalInt refit) {
    public Request {
      tests = Collections.unmodifiableMap(new LinkedHashMap<>(tests));
      goals = List.copyOf(goals);
    }
  }

  /**
   * What one plan costs.
   *
   * @param isRefitted whether its narrow experts were re-fitted jointly
   */
  public record Cost(Goal goal, Plan plan, boolean isRefitted, Scores scores) {}

  /**
   * What was found.
   *
   * @param unpruned the model as it is
   * @param costs in the order of the goals
   */
  public record Result(Scores unpruned, List<Cost> costs) {
    public Result {
      costs = List.copyOf(costs);
    }
  }

  /**
   * Plans all goals, then tries each plan on all test data.
   *
   * @throws NothingToDoException if no block is found
   * @throws BadInputException if the model foresees no tokens, a goal cannot be reached, a router
   *     that is to be cut cannot be, or there is nothing to test on
   */
  public Result run(Request request) {
    LoadedModel subject = LoadedModel.open(request.model(), request.target());
    subject.requireBlocks();
    subject.warn(console);
    NextToken nextToken = new LanguageModel(subject.read()).requireNextToken();
    if (request.goals().stream().anyMatch(goal -> goal.router() == Plan.Router.CUT)) {
      subject.requireCuttable();
    }
    Profile profile = ProfileFile.read(request.profile());
    subject.requireProfile(profile, request.profile());
    List<Plan> plans = request.goals().stream().map(goal -> Planner.plan(profile, goal)).toList();
    plans.forEach(subject::requireCuts);
    Optional<RefitJointly.Data> refit = refit(subject, request);
    Map<String, Calibration> tests = tests(subject, request);
    tests.forEach((name, data) -> CalibrationOverlap.warn(name, data.files(), profile, console));
    try (PlanTrials trials = PlanTrials.open(subject, profile, nextToken, options, console)) {
      return new Tries(trials, tests, refit).of(request.goals(), plans);
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(options);
      throw e;
    }
  }

  private Optional<RefitJointly.Data> refit(LoadedModel subject, Request request) {
    if (request.refit().isEmpty()) {
      return Optional.empty();
    } else if (request.goals().stream().allMatch(goal -> goal.narrow().isEmpty())) {
      throw new BadInputException("--refit requires --method narrow");
    }
    Calibration data = request.data().open(subject, options, console);
    return Optional.of(new RefitJointly.Data(data, request.refit().getAsInt()));
  }

  private Map<String, Calibration> tests(LoadedModel subject, Request request) {
    Map<String, Path> files = request.tests();
    ModelFolder folder = new ModelFolder(subject.folder());
    if (files.isEmpty()) {
      Path found = folder.heldOut("--test");
      console.say("test data: " + found + ", found in the model's directory");
      files = Map.of(found.getFileName().toString(), found);
    }
    Map<String, Calibration> tests = new LinkedHashMap<>();
    files.forEach(
        (name, file) -> {
          Calibration data =
              Calibration.open(
                  DataSource.untagged(List.of(file)),
                  folder,
                  subject.model().graph(),
                  request.reading());
          data.notices().forEach(console::say);
          tests.put(name, data);
        });
    return tests;
  }

  /** One after another; what comes to the same is tried once. */
  private final class Tries {
    private final PlanTrials trials;
    private final Map<String, Calibration> tests;
    private final Optional<RefitJointly.Data> refit;
    private final Map<Same, Scores> known = new HashMap<>();

    Tries(PlanTrials trials, Map<String, Calibration> tests, Optional<RefitJointly.Data> refit) {
      this.trials = trials;
      this.tests = tests;
      this.refit = refit;
    }

    /** What decides on a plan's cost, beside the profile. */
    private record Same(List<Plan.Block> blocks, Plan.Router router, Optional<Novice> novice) {}

    Result of(List<Goal> goals, List<Plan> plans) {
      plans.stream()
          .filter(plan -> plan.router() == Plan.Router.CUT)
          .forEach(plan -> trials.check(plan, Novice.ZERO));
      long sequences = tests.values().stream().mapToLong(Calibration::samples).sum();
      String what = "trying %d plans on %,d sequences".formatted(plans.size(), sequences);
      try (Console.Progress progress = console.begin(what, plans.size() + 1L)) {
        Scores unpruned = scores(trials.unpruned());
        progress.step();
        List<Cost> costs = new ArrayList<>();
        for (int i = 0; i < plans.size(); i++) {
          boolean isRefitted = refit.isPresent() && plans.get(i).isNarrow();
          Scores scores = scores(goals.get(i), plans.get(i));
          costs.add(new Cost(goals.get(i), plans.get(i), isRefitted, scores));
          progress.step();
        }
        return new Result(unpruned, costs);
      }
    }

    private Scores scores(Goal goal, Plan plan) {
      boolean isCut = plan.router() == Plan.Router.CUT;
      Same same =
          new Same(
              plan.blocks(), plan.router(), isCut ? Optional.empty() : Optional.of(goal.novice()));
      Scores before = known.get(same);
      if (before != null) {
        return before;
      }
      Scores scores = trials.of(plan, goal.novice(), refit, this::scores);
      known.put(same, scores);
      return scores;
    }

    private Scores scores(PlanTrials.Trial trial) {
      Map<String, Losses> losses = new LinkedHashMap<>();
      tests.forEach((name, data) -> losses.put(name, trial.of(feeds(data))));
      return new Scores(losses);
    }

    private static Iterable<Map<String, Tensor>> feeds(Calibration data) {
      return () -> StreamSupport.stream(data.spliterator(), false).map(Batch::feeds).iterator();
    }
  }
}
