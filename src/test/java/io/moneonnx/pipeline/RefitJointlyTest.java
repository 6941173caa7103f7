package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataSource;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.BlockResidual;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Limits;
import io.moneonnx.plan.NarrowTerms;
import io.moneonnx.plan.Normalisation;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.Planner;
import io.moneonnx.plan.Ratio;
import io.moneonnx.plan.Scope;
import io.moneonnx.plan.criterion.Criteria;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Oracle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Joint re-fits of a real model on real text. */
final class RefitJointlyTest {
  private static final Path OLMOE = Path.of("models", "olmoe-tiny", "model.onnx");
  private static final int SEQUENCES = 6;

  private final LoadedModel subject = LoadedModel.open(OLMOE, Target.CPU);
  private final DataRequest request =
      new DataRequest(
          List.of(DataSource.parse(OLMOE.resolveSibling("heldout.txt").toString())),
          new CalibrationOptions(
              OptionalInt.of(64),
              OptionalInt.of(SEQUENCES),
              OptionalInt.empty(),
              Optional.empty(),
              Optional.empty()));

  private Map<String, Change> changes(Profile profile) {
    Goal goal =
        new Goal(
            Criteria.DEFAULT,
            Novice.MEAN,
            Plan.Router.KEEP,
            Ratio.parse("0.5"),
            new Scope.Model(Normalisation.NONE),
            Limits.NONE,
            Optional.of(NarrowTerms.DEFAULT));
    return new PlannedChanges(subject, RunOptions.cpu(), new Silence())
        .of(profile, Planner.plan(profile, goal), Novice.MEAN);
  }

  /** What the stream lacks behind the last block. */
  private double energy(Map<String, Change> changes, List<Batch> batches) {
    MoeBlock last = subject.blocks().get(subject.blocks().size() - 1);
    double energy = 0;
    try (BlockResidual models =
        BlockResidual.open(
            subject.model(),
            Oracle.of(subject.model(), subject.blocks(), changes).model(),
            subject.folder(),
            last,
            RunOptions.cpu())) {
      for (Batch batch : batches) {
        for (float value : models.run(batch).residual()) {
          energy += value * value;
        }
      }
    }
    return energy;
  }

  @Test
  void comeNearerToTheOriginalOnTheirOwnTokens() {
    Profile profile =
        new Calibrate(subject, RunOptions.cpu(), new Silence())
            .run(request.withMoments(), Checkpoints.NONE);
    Map<String, Change> each = changes(profile);
    Calibration data = request.open(subject, RunOptions.cpu(), new Silence());
    RefitJointly.Data all = new RefitJointly.Data(data, SEQUENCES * 64);

    Map<String, Change> jointly =
        new RefitJointly(subject, RunOptions.cpu(), new Silence()).of(profile, each, all);

    assertThatThrownBy(
            () ->
                new RefitJointly(subject, RunOptions.cpu(), new Silence())
                    .of(new Profile("", 0, List.of(), List.of()), each, all))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no block can be re-fitted");
    assertThat(energy(jointly, all.batches())).isLessThan(0.8 * energy(each, all.batches()));
    for (MoeBlock block : subject.blocks()) {
      Replacement before = (Replacement) each.get(block.name());
      Replacement after = (Replacement) jointly.get(block.name());
      assertThat(after.experts()).isEqualTo(before.experts());
      before
          .narrow()
          .forEach(
              (expert, narrow) ->
                  assertThat(after.narrow().get(expert).neurons()).isEqualTo(narrow.neurons()));
    }
  }

  @Test
  void refusesPlansThatNarrowNothing() {
    Calibration data = request.open(subject, RunOptions.cpu(), new Silence());
    Profile none = new Profile("", 0, List.of(), List.of());

    assertThatThrownBy(
            () ->
                new RefitJointly(subject, RunOptions.cpu(), new Silence())
                    .of(none, Map.of(), new RefitJointly.Data(data, 1)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("expected a plan that narrows experts");
  }
}
