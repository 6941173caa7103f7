package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.observe.BlockHeaders;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanFile;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.Profile;
import java.nio.file.Path;
import java.util.Optional;

/** Which experts go, and what stands in for them: decided already, or once a profile is there. */
sealed interface Decision {
  /** Reads the plan if one is given. */
  static Decision of(Prune.Choice choice) {
    return choice instanceof Prune.Choice.Given given
        ? new Made(PlanFile.read(given.plan()), given.plan(), given.novice())
        : new Open(((Prune.Choice.Planned) choice).goal());
  }

  /**
   * Checks what can be known before anything is measured.
   *
   * @param profile the one that was given
   * @throws BadInputException if the decision is not for this model, or not for this profile
   */
  void check(Subject subject, Optional<Profile> profile);

  Novice novice();

  Plan plan(Profile profile);

  /** Yet to be planned. */
  record Open(Goal goal) implements Decision {
    @Override
    public void check(Subject subject, Optional<Profile> profile) {
      if (goal.router() == Plan.Router.CUT) {
        subject.requireCuttable();
      }
      goal.check(subject.bytes(), subject.blocks().stream().map(BlockHeaders::of).toList());
    }

    @Override
    public Novice novice() {
      return goal.novice();
    }

    @Override
    public Plan plan(Profile profile) {
      return Planner.plan(profile, goal);
    }
  }

  /**
   * Planned already.
   *
   * @param from the plan's file, for messages
   * @param asked the novice that the user asks for
   */
  record Made(Plan plan, Path from, Optional<Novice> asked) implements Decision {
    @Override
    public void check(Subject subject, Optional<Profile> profile) {
      subject.requirePlan(plan, from);
      try {
        profile.map(Profile::id).ifPresent(plan::checkProfile);
      } catch (BadInputException e) {
        throw new BadInputException(from + ": " + e.getMessage(), e);
      }
      if (asked.isPresent() && plan.router() == Plan.Router.CUT) {
        throw new BadInputException(
            "%s: the plan cuts the router, which needs no novice; leave out --novice %s"
                .formatted(from, asked.get()));
      }
      if (asked.isPresent() && plan.novice().isPresent() && !plan.novice().equals(asked)) {
        throw new BadInputException(
            "%s: the plan is for novice %s, found --novice %s"
                .formatted(from, plan.novice().get(), asked.get()));
      }
    }

    @Override
    public Novice novice() {
      return plan.novice().or(() -> asked).orElse(Novice.MEAN);
    }

    @Override
    public Plan plan(Profile profile) {
      return plan;
    }
  }
}
