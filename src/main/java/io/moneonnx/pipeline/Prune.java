package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.eval.TaggedPerplexity;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.Target;
import io.moneonnx.plan.Goal;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.plan.PlanConstraints;
import io.moneonnx.plan.PlanFile;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Supplier;

/** The whole road from a model file or folder to a smaller one; does what is missing by itself. */
public final class Prune {
  private static final String SUFFIX = ".onnx";
  private static final String PRUNED = ".mone";

  private final RunOptions options;
  private final Console console;

  public Prune(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What is wanted.
   *
   * @param model a file, or a folder with a model in it
   * @param target what the model is meant to run on
   * @param output a file, or a folder if {@code model} is one; beside the model if absent
   * @param profile the file of a profile, instead of calibrating on {@code data}
   * @param choice what says which experts go
   * @param placement where the weights go; chosen by size and input if absent
   * @param force whether what is at {@code output} may be replaced
   * @param verify whether the result must pass the oracle before it is moved into place
   * @param refit how many tokens of the data down projections are re-fitted on jointly, if they are
   * @param also other models of the folder to rewrite by plans of their own, each as {@code
   *     MODEL=SRC}
   */
  public record Request(
      Path model,
      Target target,
      Optional<Path> output,
      Optional<Path> profile,
      DataRequest data,
      Choice choice,
      Optional<Placement> placement,
      boolean force,
      boolean verify,
      OptionalInt refit,
      List<String> also) {
    public Request {
      also = List.copyOf(also);
    }

    private Rewrite.Request to(Path there, Novice novice) {
      return new Rewrite.Request(there, novice, placement, force, verify, refit);
    }
  }

  /** What says which experts go. */
  public sealed interface Choice {
    /** Whether experts are to be narrowed, for which moments have to be measured. */
    boolean isNarrow();

    /** A plan that is yet to be made. */
    record Planned(Goal goal) implements Choice {
      @Override
      public boolean isNarrow() {
        return goal.narrow().isPresent();
      }
    }

    /**
     * The file of a plan.
     *
     * @param novice what stands in for experts, if the user says so
     */
    record Given(Path plan, Optional<Novice> novice) implements Choice {
      @Override
      public boolean isNarrow() {
        return PlanFile.read(plan).isNarrow();
      }
    }

    /**
     * The largest ratio that costs no more than this.
     *
     * @param limit by which part perplexity may increase: 0.02 is two percent
     * @param data to measure it on; what lies beside the model if none are named
     */
    record Within(PlanConstraints terms, double limit, DataRequest data) implements Choice {
      public Within {
        if (!(limit >= 0 && Double.isFinite(limit))) {
          throw new BadInputException(
              "--max-ppl-increase: found %s, expected 0 or more, such as 2%% or 0.02"
                  .formatted(limit));
        }
      }

      @Override
      public boolean isNarrow() {
        return terms.narrow().isPresent();
      }
    }
  }

  /** What came of it. */
  public sealed interface Outcome {}

  /**
   * What was done, and on what.
   *
   * @param goal what the plan was made for, if it was made here
   * @param search what was tried before, if anything
   */
  public record Result(
      LoadedModel subject,
      Profile profile,
      Plan plan,
      Optional<Goal> goal,
      Rewrite.Report report,
      Optional<Searched> search)
      implements Outcome {}

  /**
   * How a ratio was found.
   *
   * @param written of the file that was written, on the same data
   */
  public record Searched(Search.Found found, TaggedPerplexity written) {
    boolean isWithin() {
      return found.allows(written);
    }
  }

  /** Nothing was written: no ratio costs as little as was wanted. */
  public record NoneWithin(Search.Found found) implements Outcome {}

  /**
   * Calibrates, plans, rewrites and proves; what can be known to be wrong is told before anything
   * is measured.
   *
   * @throws NothingToDoException if no block is found, or none is proved
   * @throws CheckFailedException if the rewritten model does not do what the oracle does
   */
  public Outcome run(Request request) throws IOException {
    LoadedModel subject = LoadedModel.openAny(request.model(), request.target());
    Path output = request.output().orElseGet(() -> beside(subject));
    checkOutput(subject, output, request);
    Optional<Profile> known = request.profile().map(ProfileFile::read);
    subject.requireBlocks();
    subject.warn(console);
    SharedExperts shared = SharedExperts.of(subject);
    List<Companion> companions = Companion.of(request.also(), request.data(), subject, shared);
    requireOwnPlans(request);
    shared.tell(subject, companions, console);
    known.ifPresent(measured -> subject.requireProfile(measured, request.profile().orElseThrow()));
    Function<Profile, PlanSource> source =
        PlanSource.of(request.choice(), known, subject, options, console);

    if (subject.branch().isPresent() && request.choice() instanceof Choice.Within) {
      throw new BadInputException(
          subject.file()
              + ": its layers are in branches of an If, of which no perplexity is measured; expected --ratio or --plan");
    }
    boolean isNarrow = request.choice().isNarrow();
    if (request.refit().isPresent() && !isNarrow) {
      throw new BadInputException(
          "--refit requires --method narrow, or a plan that narrows experts");
    }
    DataRequest wanted = isNarrow ? request.data().withMoments() : request.data();
    Calibrate calibrate = new Calibrate(subject, options, console);
    Optional<Calibration> data =
        known.isEmpty() || request.refit().isPresent()
            ? Optional.of(calibrate.open(wanted))
            : request.verify()
                ? calibrate.besideModel(CalibrationOptions.DEFAULT)
                : Optional.empty();
    Profile profile =
        measured(
            subject,
            request.choice(),
            known,
            () -> calibrate.run(wanted, data.orElseThrow(), Checkpoints.NONE));
    List<Companion.Planned> planned = new ArrayList<>();
    for (Companion companion : companions) {
      planned.add(planned(companion, request.choice()));
    }
    Rewrite rewrite = new Rewrite(subject, shared.twins(), planned, options, console);
    return carryOut(
        source.apply(profile),
        subject,
        profile,
        next -> rewrite.prove(request.to(output, next.novice()), profile, next.plan(), data));
  }

  /** The profile to plan by; where experts are narrowed, with the order of their neurons. */
  private Profile measured(
      LoadedModel model, Choice choice, Optional<Profile> known, Supplier<Profile> calibration) {
    Profile measured = known.orElseGet(calibration);
    Profile profile =
        choice.isNarrow() && !(choice instanceof Choice.Given)
            ? new OrderNeurons(model, options, console).of(measured)
            : measured;
    if (choice.isNarrow()
        && known.isEmpty()
        && profile.blocks().stream().allMatch(block -> block.orders().isEmpty())) {
      throw new NothingToDoException(
          model.file() + ": no block has experts that can be narrowed; nothing was written");
    }
    return profile;
  }

  /** A plan within the same budget, made of what the companion's own data show. */
  private Companion.Planned planned(Companion companion, Choice choice) {
    LoadedModel model = companion.model();
    console.say(model.file() + ": has experts of its own, and is rewritten by a plan of its own");
    model.warn(console);
    Function<Profile, PlanSource> source =
        PlanSource.of(choice, Optional.empty(), model, options, console);
    DataRequest wanted = choice.isNarrow() ? companion.data().withMoments() : companion.data();
    Calibrate calibrate = new Calibrate(model, options, console);
    Calibration data = calibrate.open(wanted);
    Profile profile =
        measured(
            model, choice, Optional.empty(), () -> calibrate.run(wanted, data, Checkpoints.NONE));
    PlanSource.Candidate made = source.apply(profile).candidates().iterator().next();
    return new Companion.Planned(companion, profile, made.plan(), made.novice(), data);
  }

  private static void requireOwnPlans(Request request) {
    boolean isPlanned = request.choice() instanceof Choice.Planned;
    if (!request.also().isEmpty() && (!isPlanned || request.refit().isPresent())) {
      throw new BadInputException(
          "--also: %s is for one model, expected a budget that holds for each, such as --ratio"
              .formatted(
                  isPlanned
                      ? "--refit"
                      : request.choice() instanceof Choice.Given
                          ? "--plan"
                          : "--max-ppl-increase"));
    }
  }

  /**
   * Writes one candidate after the other, until a file costs no more than it may: that one is put
   * in its place.
   *
   * @param prove writes a candidate's model and proves it, but puts it in no place
   */
  Outcome carryOut(
      PlanSource source,
      LoadedModel subject,
      Profile profile,
      Function<PlanSource.Candidate, Rewrite.Proved> prove) {
    for (PlanSource.Candidate candidate : source.candidates()) {
      try (Rewrite.Proved proved = prove.apply(candidate)) {
        Optional<Searched> costs = source.costs().apply(proved.path());
        if (costs.stream().allMatch(Searched::isWithin)) {
          return new Result(
              subject, profile, candidate.plan(), candidate.goal(), proved.publish(), costs);
        }
        candidate.goal().ifPresent(this::sayBeyond);
      }
    }
    return new NoneWithin(source.found().orElseThrow());
  }

  private void sayBeyond(Goal goal) {
    console.say(
        goal.amount()
            + ": the rewritten file itself is beyond the limit; trying the next smaller ratio");
  }

  /** {@code model.mone.onnx} for {@code model.onnx}, {@code folder.mone} for {@code folder}. */
  private static Path beside(LoadedModel subject) {
    Path model = subject.given();
    if (!subject.isFolder()) {
      String name = model.getFileName().toString();
      String stem =
          name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
      return model.resolveSibling(stem + PRUNED + SUFFIX);
    }
    Path folder = model.toAbsolutePath().normalize();
    if (folder.getFileName() == null) {
      throw new BadInputException(model + ": has no name to call another by; give one with -o");
    }
    return folder.resolveSibling(folder.getFileName() + PRUNED);
  }

  private void checkOutput(LoadedModel subject, Path output, Request request) throws IOException {
    List<Path> inputs = new ArrayList<>(request.data().read(subject));
    request.profile().ifPresent(inputs::add);
    request.also().stream()
        .map(text -> Path.of(text.substring(text.indexOf('=') + 1)))
        .forEach(inputs::add);
    if (request.choice() instanceof Choice.Given given) {
      inputs.add(given.plan());
    } else if (request.choice() instanceof Choice.Within within) {
      inputs.addAll(within.data().readHeldOut(subject));
    }
    if (request.refit().isPresent()) {
      Output.check(RefittedFile.beside(output), request.force(), inputs, console);
    }
    Output.checkModel(
        output,
        request.force(),
        request.placement(),
        subject.given(),
        subject.files(),
        inputs,
        console);
  }
}
