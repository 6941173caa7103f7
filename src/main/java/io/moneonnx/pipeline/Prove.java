package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.moe.Target;
import io.moneonnx.plan.Novice;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.rewrite.Change;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Proves that a pruned model is what a plan and a profile say. Novices come from the profile, and
 * nothing is believed that the pruned model says of itself.
 */
public final class Prove {
  private final RunOptions options;
  private final Console console;

  public Prove(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What to prove.
   *
   * @param model the original: a file, or a folder with a model in it
   * @param pruned what was made of it, likewise
   * @param target what both are meant to run on
   * @param novice what stands in for experts, if the user says so
   * @param refitted the file of down projections that were re-fitted jointly, if they were
   * @param data to try both on beside random inputs; none for what lies beside the original
   * @param report a file that is going to be written; what is there may be replaced
   */
  public record Request(
      Path model,
      Path pruned,
      Target target,
      Path plan,
      Path profile,
      Optional<Novice> novice,
      Optional<Path> refitted,
      DataRequest data,
      Optional<Path> report) {}

  /**
   * What was found.
   *
   * @param changes what should have become of blocks, by name
   * @param verdicts by device, the CPU first
   */
  public record Result(
      LoadedModel subject, Map<String, Change> changes, Map<Device, Verdict> verdicts) {
    public boolean holds() {
      return verdicts.values().stream().allMatch(Verdict::holds);
    }
  }

  /**
   * Compares both on the CPU, and on a GPU where one is asked for.
   *
   * @throws NothingToDoException if the original has no block
   * @throws BadInputException if plan or profile are of another model, or a model does not load
   * @throws CheckFailedException if the proof of a pruned model that loads does not run
   */
  public Result run(Request request) throws IOException {
    Profile profile = ProfileFile.read(request.profile());
    LoadedModel subject = LoadedModel.open(request.model(), request.target());
    Path pruned = ReadModel.file(request.pruned());
    if (request.report().isPresent()) {
      Output.check(request.report().get(), true, read(request, subject, pruned), console);
    }
    subject.read().requireOriginalOf(request.pruned(), OnnxReader.read(pruned));
    subject.requireBlocks();
    subject.warn(console);
    subject.requireProfile(profile, request.profile());
    PlanSource.Candidate given =
        PlanSource.Candidate.read(
            new Prune.Choice.Given(request.plan(), request.novice()),
            Optional.of(profile),
            subject);
    Map<String, Change> planned =
        new PlannedChanges(subject, options, console).of(profile, given.plan(), given.novice());
    Map<String, Change> changes =
        request
            .refitted()
            .map(file -> new RefittedFile(file, subject).over(planned))
            .orElse(planned);
    List<Map<String, Tensor>> feeds =
        TrialFeeds.of(subject, data(subject, request), "give some with --data").proof();
    Map<Device, Verdict> verdicts = new LinkedHashMap<>();
    for (Device device : devices()) {
      console.say("comparing %s with what it should be, on %s".formatted(pruned, device));
      verdicts.put(device, verdict(subject, changes, pruned, feeds, device));
    }
    return new Result(subject, changes, verdicts);
  }

  private static List<Path> read(Request request, LoadedModel subject, Path pruned) {
    List<Path> read = new ArrayList<>(List.of(pruned, request.plan(), request.profile()));
    request.refitted().ifPresent(read::add);
    read.addAll(subject.files().all());
    read.addAll(request.data().read(subject));
    return read;
  }

  private Optional<Calibration> data(LoadedModel subject, Request request) {
    Calibrate calibrate = new Calibrate(subject, options, console);
    return request.data().named().isEmpty()
        ? calibrate.besideModel(request.data().options())
        : Optional.of(calibrate.open(request.data()));
  }

  private List<Device> devices() {
    Device cpu = new Device.Cpu();
    Device asked = Session.expected(options.device());
    return asked.equals(cpu) ? List.of(cpu) : List.of(cpu, asked);
  }

  private Verdict verdict(
      LoadedModel subject,
      Map<String, Change> changes,
      Path pruned,
      List<Map<String, Tensor>> feeds,
      Device device) {
    RunOptions there =
        new RunOptions(device, options.threads(), options.memory(), options.notices());
    try {
      return new Proof(subject.model(), subject.folder(), subject.blocks(), changes, there)
          .of(pruned, feeds);
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(there);
      ReadModel.requireLoads(pruned, there);
      throw new CheckFailedException(
          "%s: its proof on %s does not run: %s".formatted(pruned, device, e.getMessage()));
    }
  }
}
