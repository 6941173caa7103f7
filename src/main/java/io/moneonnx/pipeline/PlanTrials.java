package io.moneonnx.pipeline;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.eval.Evaluation;
import io.moneonnx.eval.Losses;
import io.moneonnx.eval.ModelChanges;
import io.moneonnx.eval.NextToken;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Tries plans on data, and writes no model: those that replace whole experts in one model that is
 * opened once, those that narrow experts each in a model of its own.
 */
final class PlanTrials implements AutoCloseable {
  private final LoadedModel subject;
  private final Profile profile;
  private final NextToken nextToken;
  private final RunOptions options;
  private final Console console;
  private final Evaluation evaluation;

  private PlanTrials(
      LoadedModel subject,
      Profile profile,
      NextToken nextToken,
      RunOptions options,
      Console console,
      Evaluation evaluation) {
    this.subject = subject;
    this.profile = profile;
    this.nextToken = nextToken;
    this.options = options;
    this.console = console;
    this.evaluation = evaluation;
  }

  static PlanTrials open(
      LoadedModel subject,
      Profile profile,
      NextToken nextToken,
      RunOptions options,
      Console console) {
    return new PlanTrials(
        subject,
        profile,
        nextToken,
        options,
        console,
        Evaluation.open(subject.model(), subject.folder(), subject.blocks(), nextToken, options));
  }

  /** A model that feeds can be run through, one after another. */
  interface Trial {
    Losses of(Iterable<Map<String, Tensor>> feeds);
  }

  /** The model as it is. */
  Trial unpruned() {
    return feeds -> evaluation.losses(ModelChanges.NONE, feeds);
  }

  /** Throws {@link io.moneonnx.graph.BadInputException} where a plan cannot be carried out. */
  void check(Plan plan, Novice novice) {
    evaluation.check(ModelChanges.of(plan, novice, profile));
  }

  /** What comes of a trial of a plan. */
  <T> T of(Plan plan, Novice novice, Function<Trial, T> score) {
    return of(plan, novice, Optional.empty(), score);
  }

  /**
   * The same with narrow experts re-fitted jointly, if they are to be.
   *
   * @param refit what they are fitted on
   */
  <T> T of(Plan plan, Novice novice, Optional<RefitJointly.Data> refit, Function<Trial, T> score) {
    if (!plan.isNarrow()) {
      ModelChanges changes = ModelChanges.of(plan, novice, profile);
      return score.apply(feeds -> evaluation.losses(changes, feeds));
    }
    Model narrow =
        Rewriter.rewrite(
            subject.read().canonical(),
            subject.blocks(),
            new PlannedChanges(subject, options, console).of(profile, plan, novice, refit));
    try (Evaluation own =
        Evaluation.open(
            Canonical.of(narrow).model(), subject.folder(), List.of(), nextToken, options)) {
      return score.apply(feeds -> own.losses(ModelChanges.NONE, feeds));
    }
  }

  @Override
  public void close() {
    evaluation.close();
  }
}
