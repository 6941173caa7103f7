package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataFile;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** From a model and data to a profile. */
public final class Calibrate {
  private final LoadedModel subject;
  private final RunOptions options;
  private final Console console;

  public Calibrate(LoadedModel subject, RunOptions options, Console console) {
    this.subject = subject;
    this.options = options;
    this.console = console;
  }

  /**
   * Measures every block that was found.
   *
   * @throws NothingToDoException if no block is found, or none is proved
   */
  public Profile run(DataRequest request, Checkpoints checkpoints) {
    subject.requireBlocks();
    return run(request, open(request), checkpoints);
  }

  /** Opens the data for the model and says what they are. */
  public Calibration open(DataRequest request) {
    return request.open(subject, console);
  }

  /** What lies beside the model, if anything does: to try a rewritten model on. */
  public Optional<Calibration> besideModel(CalibrationOptions reading) {
    return new ModelFolder(subject.folder()).hasCalibration()
        ? Optional.of(open(new DataRequest(List.of(), reading)))
        : Optional.empty();
  }

  /** Measures on data that are open already. */
  public Profile run(DataRequest request, Calibration data, Checkpoints checkpoints) {
    Calibrator calibrator =
        new Calibrator(subject.model(), subject.folder(), subject.requireBlocks(), options);
    try (Calibrator.Pass pass = calibrator.begin(request.nonFinite())) {
      Measured start =
          checkpoints.start(RunFacts.of(subject, data, request.options(), pass.device(), options));
      request.requireMeasured(start);
      Measured measured = measure(pass, data, start, checkpoints);
      return profile(data, measured, pass.outcome(measured));
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(options);
      throw e;
    }
  }

  private Measured measure(
      Calibrator.Pass pass, Calibration data, Measured start, Checkpoints checkpoints) {
    Measured measured = start;
    try (Console.Progress progress = console.begin("calibrating" + size(data), data.batches())) {
      LongStream.range(0, start.batches()).forEach(done -> progress.step());
      for (Iterator<Batch> rest = data.from(start.batches()); rest.hasNext(); progress.step()) {
        measured = pass.add(measured, rest.next());
        checkpoints.take(measured);
      }
    }
    return measured;
  }

  private Profile profile(Calibration data, Measured measured, Calibrator.Outcome outcome) {
    tell(measured, outcome);
    if (outcome.statistics().isEmpty()) {
      throw new NothingToDoException(
          subject.file() + ": every block was refused:\n" + LoadedModel.text(outcome.disproved()));
    }
    return new Profile(
        subject.fingerprint(),
        subject.bytes(),
        List.of(
            new Profile.Run(
                Tool.version(),
                Session.runtimeVersion(),
                outcome.device().toString(),
                data.tokens() > 0 ? data.tokens() : routed(outcome),
                measured.sequenceLength(),
                data.files().stream().map(Calibrate::source).toList(),
                notes(measured))),
        outcome.statistics());
  }

  private void tell(Measured measured, Calibrator.Outcome outcome) {
    outcome
        .disproved()
        .forEach(refusal -> console.say("refused: " + refusal.where() + ": " + refusal.reason()));
    for (BlockStatistics block : outcome.statistics()) {
      if (!block.neverChosen().isEmpty()) {
        console.say(
            "never chosen in '%s': experts %s".formatted(block.name(), block.neverChosen()));
      }
    }
    if (!measured.skipped().isEmpty()) {
      console.say("left out, for something of theirs was not finite: " + skipped(measured));
    }
  }

  private Map<String, String> notes(Measured measured) {
    Map<String, String> notes = new LinkedHashMap<>();
    notes.put("target", subject.target().toString());
    if (!measured.skipped().isEmpty()) {
      notes.put("skipped", skipped(measured));
    }
    return notes;
  }

  private static String skipped(Measured measured) {
    return measured.skipped().entrySet().stream()
        .map(block -> "%,d tokens in '%s'".formatted(block.getValue(), block.getKey()))
        .collect(Collectors.joining(", "));
  }

  private static Profile.Source source(DataFile file) {
    return new Profile.Source(
        file.path().getFileName().toString(),
        file.tag(),
        file.bytes(),
        file.sha256(),
        file.tokens());
  }

  private static String size(Calibration data) {
    return data.tokens() > 0 ? " on %,d tokens".formatted(data.tokens()) : "";
  }

  /** Tokens that reached a block, for models that are not fed any. */
  private static long routed(Calibrator.Outcome outcome) {
    return outcome.statistics().stream().mapToLong(BlockStatistics::tokens).max().orElse(0);
  }
}
