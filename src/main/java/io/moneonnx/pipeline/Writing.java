package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import java.util.Optional;

/**
 * All that it takes to write a plan's model.
 *
 * @param data what calibration ran on, if it did
 */
record Writing(
    LoadedModel subject,
    RunOptions options,
    Console console,
    Rewrite.Request request,
    Profile profile,
    Optional<Calibration> data) {
  /** Writes the model and proves it, but puts it in no place. */
  Rewrite.Proved prove(Plan plan) {
    return new Rewrite(subject, options, console).prove(request, profile, plan, data);
  }

  /**
   * Writes the model, proves it and puts it in its place.
   *
   * @param goal what the plan was made for, if it was made here
   */
  Prune.Result write(Plan plan, Optional<Goal> goal) {
    try (Rewrite.Proved proved = prove(plan)) {
      return new Prune.Result(subject, profile, plan, goal, proved.publish(), Optional.empty());
    }
  }
}
