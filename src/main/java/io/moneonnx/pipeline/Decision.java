package io.moneonnx.pipeline;

import io.moneonnx.eval.TaggedPerplexity;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.observe.BlockHeaders;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanFile;
import io.moneonnx.plan.Planner;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * Which experts go, and what stands in for them: decided already, or once a profile is there. What
 * can be known to be wrong before anything is measured has been checked.
 */
sealed interface Decision {
  /**
   * Reads what the choice names, and checks it.
   *
   * @param profile the one that was given
   * @throws BadInputException if the choice is not for this model, or not for this profile
   */
  static Decision of(
      Prune.Choice choice,
      Optional<Profile> profile,
      LoadedModel subject,
      RunOptions options,
      Console console) {
    if (choice instanceof Prune.Choice.Given given) {
      return Made.read(given, profile, subject);
    } else if (choice instanceof Prune.Choice.Within within) {
      return new Sought(Search.open(within, subject, options, console));
    }
    return Open.of(((Prune.Choice.Planned) choice).goal(), subject);
  }

  Novice novice();

  /** Writes what is decided now that a profile is there. */
  Prune.Outcome carryOut(Writing writing);

  /** Yet to be planned. */
  record Open(Goal goal) implements Decision {
    static Open of(Goal goal, LoadedModel subject) {
      if (goal.router() == Plan.Router.CUT) {
        subject.requireCuttable();
      }
      goal.check(subject.bytes(), subject.blocks().stream().map(BlockHeaders::of).toList());
      return new Open(goal);
    }

    @Override
    public Novice novice() {
      return goal.novice();
    }

    @Override
    public Prune.Outcome carryOut(Writing writing) {
      return writing.write(Planner.plan(writing.profile(), goal), Optional.of(goal));
    }
  }

  /**
   * Planned already.
   *
   * @param asked the novice that the user asks for
   */
  record Made(Plan plan, Optional<Novice> asked) implements Decision {
    static Made read(Prune.Choice.Given given, Optional<Profile> profile, LoadedModel subject) {
      Path from = given.plan();
      Plan plan = PlanFile.read(from);
      subject.requirePlan(plan, from);
      try {
        profile.map(Profile::id).ifPresent(plan::checkProfile);
      } catch (BadInputException e) {
        throw new BadInputException(from + ": " + e.getMessage(), e);
      }
      given.novice().ifPresent(asked -> requireNovice(plan, asked, from));
      return new Made(plan, given.novice());
    }

    private static void requireNovice(Plan plan, Novice asked, Path from) {
      if (plan.router() == Plan.Router.CUT) {
        throw new BadInputException(
            "%s: the plan cuts the router, which needs no novice; leave out --novice %s"
                .formatted(from, asked));
      }
      if (plan.novice().isPresent() && plan.novice().get() != asked) {
        throw new BadInputException(
            "%s: the plan is for novice %s, found --novice %s"
                .formatted(from, plan.novice().get(), asked));
      }
    }

    @Override
    public Novice novice() {
      return plan.novice().or(() -> asked).orElse(Novice.MEAN);
    }

    @Override
    public Prune.Outcome carryOut(Writing writing) {
      return writing.write(plan, Optional.empty());
    }
  }

  /** Yet to be found by what it costs. */
  record Sought(Search search) implements Decision {
    @Override
    public Novice novice() {
      return search.novice();
    }

    @Override
    public Prune.Outcome carryOut(Writing writing) {
      return largest(search.run(writing.profile()), search::of, writing);
    }

    /**
     * Writes the largest whose file, too, keeps to the limit.
     *
     * @param perplexity of a model file, on the data that {@code found} was found on
     */
    static Prune.Outcome largest(
        Search.Found found, Function<Path, TaggedPerplexity> perplexity, Writing writing) {
      for (Goal goal : found.goals()) {
        Plan plan = Planner.plan(writing.profile(), goal);
        try (Rewrite.Proved proved = writing.prove(plan)) {
          TaggedPerplexity own = perplexity.apply(proved.path());
          if (found.allows(own)) {
            return new Prune.Result(
                writing.subject(),
                writing.profile(),
                plan,
                Optional.of(goal),
                proved.publish(),
                Optional.of(new Prune.Searched(found, own)));
          }
          writing
              .console()
              .say(
                  goal.amount()
                      + ": the rewritten file itself is beyond the limit; trying the next smaller ratio");
        }
      }
      return new Prune.NoneWithin(found);
    }
  }
}
