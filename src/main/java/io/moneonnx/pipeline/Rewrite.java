package io.moneonnx.pipeline;

import io.moneonnx.canonical.Branches;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Calibration;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.Draft;
import io.moneonnx.io.ModelFiles;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.io.Written;
import io.moneonnx.plan.Novice;
import io.moneonnx.plan.Plan;
import io.moneonnx.profile.Profile;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Provenance;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.verify.BranchCheck;
import io.moneonnx.verify.Drift;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.SideBySide;
import io.moneonnx.verify.Verdict;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * From a model, its profile and a plan to a proved, smaller model; with others of its folder that
 * have the same experts, all of which are put in place together.
 */
public final class Rewrite {
  private final LoadedModel subject;
  private final List<SharedExperts.Twin> twins;
  private final List<Companion.Planned> companions;
  private final RunOptions options;
  private final Console console;

  public Rewrite(LoadedModel subject, RunOptions options, Console console) {
    this(subject, List.of(), List.of(), options, console);
  }

  /**
   * @param twins what is rewritten by the same plan, where a folder is written
   * @param companions what is rewritten by plans of their own there
   */
  Rewrite(
      LoadedModel subject,
      List<SharedExperts.Twin> twins,
      List<Companion.Planned> companions,
      RunOptions options,
      Console console) {
    this.subject = subject;
    this.twins = twins;
    this.companions = companions;
    this.options = options;
    this.console = console;
  }

  /**
   * What to write.
   *
   * @param output a file, or a folder if the model was given as one
   * @param placement where the weights go; chosen by size and input if absent
   * @param force whether present files may be replaced
   * @param verify whether the file must pass the oracle before it is moved into place
   * @param refit how many tokens of the data down projections are re-fitted on jointly, if they are
   */
  public record Request(
      Path output,
      Novice novice,
      Optional<Placement> placement,
      boolean force,
      boolean verify,
      OptionalInt refit) {
    /** Down projections are re-fitted each by itself. */
    public Request(
        Path output, Novice novice, Optional<Placement> placement, boolean force, boolean verify) {
      this(output, novice, placement, force, verify, OptionalInt.empty());
    }
  }

  /**
   * What was done.
   *
   * @param bytesBefore of all models that were rewritten; data that several read count once
   * @param verdict empty if the proof was left out
   * @param drift empty if the proof was left out, and for a model of branches
   * @param driftOn what the drift was measured on
   * @param refitted the file of down projections that were re-fitted jointly, if they were
   * @param twins what else was rewritten, a branch or a file of the folder, with its verdict
   * @param companions what was rewritten by plans of their own, by file
   */
  public record Report(
      Map<String, Change> changes,
      long bytesBefore,
      Written written,
      Optional<Verdict> verdict,
      Optional<Drift> drift,
      String driftOn,
      Optional<Path> refitted,
      Map<String, Optional<Verdict>> twins,
      Map<String, OwnChanges> companions) {}

  /** What was done to a model by a plan of its own, and the verdict unless it was left out. */
  public record OwnChanges(Map<String, Change> changes, Optional<Verdict> verdict) {}

  /**
   * A rewritten model that lies, proved, beside its place; closing removes it if it was not put
   * there.
   */
  public static final class Proved implements AutoCloseable {
    private final Draft draft;
    private final Function<Written, Report> report;
    private final boolean force;

    private Proved(Draft draft, Function<Written, Report> report, boolean force) {
      this.draft = draft;
      this.report = report;
      this.force = force;
    }

    /** The model file as it is now. */
    public Path path() {
      return draft.path();
    }

    /** Moves it into place. */
    public Report publish() {
      return report.apply(draft.publish(force));
    }

    @Override
    public void close() {
      draft.close();
    }
  }

  /**
   * Rewrites, proves and publishes.
   *
   * @param data what calibration ran on, if it did: proofs are run on it too
   * @throws CheckFailedException if the rewritten file does not do what the oracle does
   * @throws BadInputException if the plan or the profile is for another model
   */
  public Report run(Request request, Profile profile, Plan plan, Optional<Calibration> data) {
    try (Proved proved = prove(request, profile, plan, data)) {
      return proved.publish();
    }
  }

  /** Rewrites and proves, as {@link #run} does, but publishes nothing yet. */
  Proved prove(Request request, Profile profile, Plan plan, Optional<Calibration> data) {
    Optional<RefitJointly.Data> refit =
        request.refit().stream().mapToObj(wanted -> refitData(data, wanted)).findFirst();
    Map<String, Change> changes =
        new PlannedChanges(subject, options, console).of(profile, plan, request.novice(), refit);
    Function<Model, Model> sign =
        model -> {
          Model signed = signed(model, profile, plan, request.novice());
          return refit.map(on -> Provenance.with(signed, "refit", on.toString())).orElse(signed);
        };
    Map<ModelFiles, Model> models = new LinkedHashMap<>();
    Map<SharedExperts.Twin, Model> others = new LinkedHashMap<>();
    for (SharedExperts.Twin twin : twins) {
      others.put(twin, rewritten(twin.model(), twin.changes(changes)));
    }
    models.put(subject.files(), sign.apply(whole(rewritten(subject, changes), others)));
    others.forEach((twin, model) -> models.putIfAbsent(twin.files(), sign.apply(model)));
    Map<Companion.Planned, Map<String, Change>> own = new LinkedHashMap<>();
    for (Companion.Planned each : companions) {
      own.put(
          each,
          new PlannedChanges(each.model(), options, console)
              .of(each.profile(), each.plan(), each.novice(), Optional.empty()));
      models.put(
          each.companion().files(),
          signed(
              rewritten(each.model(), own.get(each)), each.profile(), each.plan(), each.novice()));
    }
    Draft draft = draft(models, request);
    try {
      Optional<TrialFeeds> trial = request.verify() ? Optional.of(trial(data)) : Optional.empty();
      Optional<Verdict> verdict =
          trial.map(on -> prove(subject, draft.path(), changes, on.proof()));
      Map<String, Optional<Verdict>> verdicts = new LinkedHashMap<>();
      for (SharedExperts.Twin twin : twins) {
        Path file = fromHere(twin.model());
        boolean isBranch = twin.model().branch().isPresent();
        Path written = isBranch ? draft.path() : draft.path().resolveSibling(file).normalize();
        verdicts.put(
            isBranch ? twin.text() : file.toString(),
            trial.map(
                on ->
                    prove(
                        twin.model(),
                        written,
                        twin.changes(changes),
                        TrialFeeds.alike(twin.model(), on.proof()))));
      }
      Map<String, OwnChanges> ownChanges = new LinkedHashMap<>();
      own.forEach(
          (each, made) ->
              ownChanges.put(
                  fromHere(each.model()).toString(),
                  new OwnChanges(
                      made, trial.map(on -> prove(each, draft.path().getParent(), made)))));
      Optional<Drift> drift =
          trial.filter(on -> subject.branch().isEmpty()).map(on -> drift(draft.path(), on.drift()));
      String driftOn = trial.map(TrialFeeds::driftOn).orElse("");
      ModelFiles originals = subject.files().with(models.keySet());
      return new Proved(
          draft,
          written ->
              new Report(
                  changes,
                  originals.bytes(),
                  written,
                  verdict,
                  drift,
                  driftOn,
                  refit.map(on -> refitted(request.output(), changes)),
                  verdicts,
                  ownChanges),
          request.force());
    } catch (RuntimeException | Error e) {
      draft.close();
      throw e;
    }
  }

  /** The path of another model of the folder from that of the model at hand. */
  private Path fromHere(LoadedModel other) {
    return subject.folder().relativize(other.file().toAbsolutePath());
  }

  /**
   * @param folder where the rewritten model at hand lies
   */
  private Verdict prove(Companion.Planned own, Path folder, Map<String, Change> changes) {
    TrialFeeds feeds = TrialFeeds.of(own.model(), Optional.of(own.on()), "say --no-verify");
    Path written = folder.resolve(fromHere(own.model())).normalize();
    return prove(own.model(), written, changes, feeds.proof());
  }

  /** The model of a file, of which the rewritten one may be but a branch. */
  private Model whole(Model rewritten, Map<SharedExperts.Twin, Model> others) {
    return others.entrySet().stream()
        .filter(other -> other.getKey().model().branch().isPresent())
        .findFirst()
        .map(
            other ->
                Provenance.withBlocks(
                    subject.joined(rewritten, other.getValue()),
                    other.getKey().blocks().values(),
                    other.getValue()))
        .orElse(rewritten);
  }

  /**
   * The model with these changes.
   *
   * @throws BadInputException if its blocks do not take them
   */
  private Model rewritten(LoadedModel model, Map<String, Change> changes) {
    try {
      return Rewriter.rewrite(model.read().canonical(), model.blocks(), changes);
    } catch (BadInputException e) {
      throw twins.isEmpty() && companions.isEmpty()
          ? e
          : new BadInputException(model.file() + ": " + e.getMessage(), e);
    }
  }

  private Path refitted(Path output, Map<String, Change> changes) {
    Path file = RefittedFile.beside(output);
    new RefittedFile(file, subject).write(changes);
    return file;
  }

  private static RefitJointly.Data refitData(Optional<Calibration> data, int tokens) {
    return new RefitJointly.Data(
        data.orElseThrow(
            () -> new BadInputException("--refit: found no data to fit on, expected --data")),
        tokens);
  }

  private TrialFeeds trial(Optional<Calibration> data) {
    return TrialFeeds.of(
        subject, data, "calibrate with --data instead of --profile, or say --no-verify");
  }

  private Draft draft(Map<ModelFiles, Model> models, Request request) {
    Placement placement = request.placement().orElseGet(() -> fitting(models));
    return subject.isFolder()
        ? OnnxWriter.draftFolder(models, request.output(), placement)
        : OnnxWriter.draft(
            models.get(subject.files()), subject.files(), request.output(), placement);
  }

  private static Placement fitting(Map<ModelFiles, Model> models) {
    return models.entrySet().stream()
        .map(model -> Placement.fitting(model.getValue(), model.getKey().model()))
        .filter(Placement.EXTERNAL::equals)
        .findFirst()
        .orElse(Placement.INLINE);
  }

  private static Model signed(Model model, Profile profile, Plan plan, Novice novice) {
    Model signed = Provenance.with(Provenance.again(model), "version", Tool.version());
    for (Profile.Run run : profile.runs()) {
      if (run.notes().containsKey(WriteOwnText.NOTE)) {
        signed = Provenance.with(signed, "calibration", run.notes().get(WriteOwnText.NOTE));
      }
    }
    signed = Provenance.with(signed, "router", plan.router().toString());
    if (plan.router() == Plan.Router.KEEP) {
      signed = Provenance.with(signed, "novice", novice.toString());
    }
    if (plan.isNarrow()) {
      signed = Provenance.with(signed, "method", "narrow");
      signed = plan.isRequantized() ? Provenance.with(signed, "requantize", "to nearest") : signed;
    }
    if (plan.criterion().isPresent()) {
      signed = Provenance.with(signed, "criterion", plan.criterion().get());
    }
    if (plan.budget().isPresent()) {
      signed = Provenance.with(signed, "budget", plan.budget().get());
    }
    return plan.ratio().isPresent()
        ? Provenance.with(signed, "ratio", plan.ratio().get().toPlainString())
        : signed;
  }

  private Verdict prove(
      LoadedModel model, Path draft, Map<String, Change> changes, List<Map<String, Tensor>> feeds) {
    String name = model == subject ? "the rewritten model" : "the rewritten " + model.name();
    console.say("checking " + name + " against the original, changed as it should be");
    Verdict verdict;
    try {
      verdict =
          prove(
              model,
              new Proof(model.model(), model.folder(), model.blocks(), changes, options),
              draft,
              feeds);
    } catch (RuntimeFailureException e) {
      model.read().requireLoads(options);
      throw new CheckFailedException(
          name + " was not written, since its proof does not run: " + e.getMessage());
    }
    if (!verdict.holds()) {
      throw new CheckFailedException(
          name + " is not what it should be, and was not written: " + verdict.text());
    }
    return verdict;
  }

  /**
   * Runs a proof; that of a branch is of the model in which it is taken, and holds for the file as
   * far as both files compute what the models of their branches do.
   */
  private Verdict prove(
      LoadedModel model, Proof proof, Path draft, List<Map<String, Tensor>> feeds) {
    if (model.branch().isEmpty()) {
      return proof.of(draft, feeds);
    }
    LoadedModel.Branch branch = model.branch().get();
    Branches written = Branches.of(OnnxReader.read(draft)).orElseThrow();
    Map<Path, Branches> files = new LinkedHashMap<>();
    files.put(model.file(), branch.all());
    files.put(draft, written);
    files.forEach(
        (file, branches) ->
            new BranchCheck(branches, branch.condition(), options)
                .difference(file, feeds)
                .ifPresent(
                    difference -> {
                      throw new CheckFailedException(
                          "%s: %s; nothing was written".formatted(file, difference));
                    }));
    return proof.of(written.taken(branch.condition()), draft.toAbsolutePath().getParent(), feeds);
  }

  private Drift drift(Path draft, List<Map<String, Tensor>> feeds) {
    SideBySide.Side before = new SideBySide.Side(subject.file(), subject.model());
    SideBySide.Side after =
        new SideBySide.Side(draft, Canonical.of(OnnxReader.read(draft)).model());
    Drift.Meter meter = new Drift.Meter();
    try (SideBySide models =
        SideBySide.open(
            before,
            after,
            new LanguageModel(subject.read()).comparedLogits(),
            List.of(),
            options)) {
      feeds.forEach(feed -> meter.add(models.run(feed)));
    }
    return meter.drift();
  }
}
