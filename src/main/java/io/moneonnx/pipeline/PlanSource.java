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
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Plans to carry out: the first whose file costs no more than it may.
 *
 * @param candidates the best first; each is planned when its turn comes
 * @param found how they were found, if they had to be searched for
 * @param costs what a file of theirs costs, if that is limited
 */
record PlanSource(
    Iterable<Candidate> candidates,
    Optional<Search.Found> found,
    Function<Path, Optional<Prune.Searched>> costs) {
  /**
   * Reads what the choice names, and checks what can be known to be wrong before anything is
   * measured.
   *
   * @param known the profile that was given
   * @return what there is to carry out, once a profile is there
   * @throws BadInputException if the choice is not for this model, or not for this profile
   */
  static Function<Profile, PlanSource> of(
      Prune.Choice choice,
      Optional<Profile> known,
      LoadedModel subject,
      RunOptions options,
      Console console) {
    if (choice instanceof Prune.Choice.Given given) {
      Candidate read = Candidate.read(given, known, subject);
      return profile -> only(read);
    } else if (choice instanceof Prune.Choice.Within within) {
      Search search = Search.open(within, subject, options, console);
      return profile -> sought(search.run(profile), profile, search::of);
    }
    Goal goal = ((Prune.Choice.Planned) choice).goal();
    check(goal, subject);
    return profile -> only(Candidate.of(goal, profile));
  }

  private static void check(Goal goal, LoadedModel subject) {
    if (goal.router() == Plan.Router.CUT) {
      subject.requireCuttable();
    }
    goal.check(subject.bytes(), subject.blocks().stream().map(BlockHeaders::of).toList());
  }

  private static PlanSource only(Candidate candidate) {
    return new PlanSource(List.of(candidate), Optional.empty(), file -> Optional.empty());
  }

  /**
   * Plans within a limit, which their files have to keep to as well.
   *
   * @param perplexity of a model file, on the data that {@code found} was found on
   */
  static PlanSource sought(
      Search.Found found, Profile profile, Function<Path, TaggedPerplexity> perplexity) {
    return new PlanSource(
        () -> found.goals().stream().map(goal -> Candidate.of(goal, profile)).iterator(),
        Optional.of(found),
        file -> Optional.of(new Prune.Searched(found, perplexity.apply(file))));
  }

  /**
   * A plan to try.
   *
   * @param novice what stands in for experts, if the router is kept
   * @param goal what the plan was made for, if it was made here
   */
  record Candidate(Plan plan, Novice novice, Optional<Goal> goal) {
    static Candidate of(Goal goal, Profile profile) {
      return new Candidate(Planner.plan(profile, goal), goal.novice(), Optional.of(goal));
    }

    /**
     * From a file.
     *
     * @throws BadInputException if it is not for this model, this profile or the novice asked for
     */
    static Candidate read(
        Prune.Choice.Given given, Optional<Profile> profile, LoadedModel subject) {
      Path from = given.plan();
      Plan plan = PlanFile.read(from);
      subject.requirePlan(plan, from);
      try {
        profile.map(Profile::id).ifPresent(plan::checkProfile);
      } catch (BadInputException e) {
        throw new BadInputException(from + ": " + e.getMessage(), e);
      }
      given.novice().ifPresent(asked -> requireNovice(plan, asked, from));
      Novice novice = plan.novice().or(given::novice).orElse(Novice.MEAN);
      return new Candidate(plan, novice, Optional.empty());
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
  }
}
