package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.DataFile;
import io.moneonnx.eval.Evaluation;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.ModelChanges;
import io.moneonnx.eval.NextToken;
import io.moneonnx.eval.TaggedPerplexity;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.observe.BlockHeaders;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/**
 * Looks for the largest ratio at which perplexity on held-out data increases by no more than a
 * limit, in total and for each tag. Plans of larger ratios take what those of smaller ones take,
 * and more, so that perplexity mostly grows with them: the search halves what is left each time,
 * and takes one pass over the data for each ratio that it tries.
 */
public final class Search {
  private final Prune.Choice.Within wanted;
  private final LoadedModel subject;
  private final NextToken nextToken;
  private final Calibration data;
  private final RunOptions options;
  private final Console console;

  private Search(
      Prune.Choice.Within wanted,
      LoadedModel subject,
      NextToken nextToken,
      Calibration data,
      RunOptions options,
      Console console) {
    this.wanted = wanted;
    this.subject = subject;
    this.nextToken = nextToken;
    this.data = data;
    this.options = options;
    this.console = console;
  }

  /**
   * Opens the held-out data, and checks what can be known before anything is measured.
   *
   * @throws BadInputException if the model foresees no tokens, no expert can go, no router can be
   *     cut that is to be, or there is nothing to evaluate on
   */
  static Search open(
      Prune.Choice.Within wanted, LoadedModel subject, RunOptions options, Console console) {
    NextToken nextToken = new LanguageModel(subject.read()).requireNextToken();
    if (wanted.terms().router() == Plan.Router.CUT) {
      subject.requireCuttable();
    }
    wanted.terms().check(subject.bytes(), subject.blocks().stream().map(BlockHeaders::of).toList());
    Calibration data = wanted.data().openHeldOut("--eval-data", subject, console);
    return new Search(wanted, subject, nextToken, data, options, console);
  }

  /**
   * A ratio that was tried.
   *
   * @param perplexity empty if the plan cannot be carried out
   */
  public record Trial(Goal goal, Plan plan, Optional<TaggedPerplexity> perplexity) {}

  /**
   * What was found.
   *
   * @param limit the largest increase of perplexity, as a part of the unpruned model's
   * @param candidates how many ratios there are
   * @param trials those that were tried, the smallest first
   * @param goals the largest that is within the limit, and all below it, the largest first
   */
  public record Found(
      TaggedPerplexity unpruned,
      double limit,
      int candidates,
      List<Trial> trials,
      List<Goal> goals) {
    public Found {
      trials = List.copyOf(trials);
      goals = List.copyOf(goals);
    }

    /** True for a model of this perplexity on the same data. */
    public boolean allows(TaggedPerplexity perplexity) {
      return perplexity.increaseOver(unpruned).isWithin(limit);
    }
  }

  /**
   * Tries ratios until the largest is found.
   *
   * @throws BadInputException if the smallest cannot be carried out, or the model's own perplexity
   *     is no number
   */
  Found run(Profile profile) {
    data.files()
        .forEach(file -> CalibrationOverlap.warn(name(file), List.of(file), profile, console));
    try (PlanTrials trials = PlanTrials.open(subject, profile, nextToken, options, console)) {
      return new Tries(trials, profile).run();
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(options);
      throw e;
    }
  }

  private static String name(DataFile file) {
    return file.path().getFileName().toString();
  }

  /** The perplexity of a rewritten model on the same data. */
  TaggedPerplexity of(Path rewritten) {
    try (Evaluation evaluation =
        Evaluation.open(
            OnnxReader.read(rewritten), rewritten.getParent(), List.of(), nextToken, options)) {
      return perplexity(feeds -> evaluation.losses(ModelChanges.NONE, feeds));
    }
  }

  private TaggedPerplexity perplexity(PlanTrials.Trial trial) {
    Map<Optional<String>, Losses> losses = new LinkedHashMap<>();
    data.files().stream()
        .map(DataFile::tag)
        .distinct()
        .forEach(tag -> losses.put(tag, trial.of(feeds(tag))));
    return TaggedPerplexity.of(losses);
  }

  private Iterable<Map<String, Tensor>> feeds(Optional<String> tag) {
    return () ->
        StreamSupport.stream(data.spliterator(), false)
            .filter(batch -> batch.tag().equals(tag))
            .map(Batch::feeds)
            .iterator();
  }

  /** Ratios that are tried in one model that is opened once. */
  private final class Tries {
    private final PlanTrials trials;
    private final Profile profile;
    private final List<Goal> goals;
    private final Map<Integer, Trial> tried = new TreeMap<>();

    Tries(PlanTrials trials, Profile profile) {
      this.trials = trials;
      this.profile = profile;
      this.goals = wanted.terms().goals(profile);
    }

    Found run() {
      check(Planner.plan(profile, goals.get(0)));
      int most = Integer.SIZE - Integer.numberOfLeadingZeros(goals.size());
      String what =
          "trying up to %d of %d ratios on %,d sequences"
              .formatted(most, goals.size(), data.samples());
      try (Console.Progress progress = console.begin(what, most + 1L)) {
        TaggedPerplexity unpruned = unpruned();
        progress.step();
        OptionalInt largest =
            Bisection.largest(
                goals.size(),
                number -> {
                  Trial trial = trial(goals.get(number - 1));
                  tried.put(number, trial);
                  progress.step();
                  return trial.perplexity().filter(p -> isWithin(p, unpruned)).isPresent();
                });
        return new Found(
            unpruned,
            wanted.limit(),
            goals.size(),
            List.copyOf(tried.values()),
            downFrom(largest.orElse(0)));
      }
    }

    private TaggedPerplexity unpruned() {
      TaggedPerplexity unpruned = perplexity(trials.unpruned());
      if (!Double.isFinite(unpruned.total())) {
        throw new BadInputException(
            "%s: its perplexity on the held-out data is %s, expected a number to compare with"
                .formatted(subject.file(), unpruned.total()));
      }
      return unpruned;
    }

    private boolean isWithin(TaggedPerplexity perplexity, TaggedPerplexity unpruned) {
      return perplexity.increaseOver(unpruned).isWithin(wanted.limit());
    }

    private Trial trial(Goal goal) {
      Plan plan = Planner.plan(profile, goal);
      try {
        check(plan);
      } catch (BadInputException e) {
        console.say(goal.amount() + ": " + e.getMessage());
        return new Trial(goal, plan, Optional.empty());
      }
      return new Trial(
          goal,
          plan,
          Optional.of(trials.of(plan, wanted.terms().novice(), Search.this::perplexity)));
    }

    /** Throws {@link BadInputException} where a router cannot lose what the plan takes. */
    private void check(Plan plan) {
      subject.requireCuts(plan);
      trials.check(plan, wanted.terms().novice());
    }

    private List<Goal> downFrom(int largest) {
      return IntStream.range(0, largest).mapToObj(i -> goals.get(largest - 1 - i)).toList();
    }
  }
}
