package io.moneonnx.pipeline;

import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataFile;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** From a model and data to a profile. */
public final class Calibrate {
  private final Subject subject;
  private final RunOptions options;
  private final Console console;

  public Calibrate(Subject subject, RunOptions options, Console console) {
    this.subject = subject;
    this.options = options;
    this.console = console;
  }

  /**
   * Measures every block that was found.
   *
   * @throws NothingToDoException if no block is found, or none is proved
   */
  public Profile run(DataRequest request) {
    subject.requireBlocks();
    return run(open(request));
  }

  /** Opens the data for the model and says what they are. */
  public Calibration open(DataRequest request) {
    return request.open(subject, console);
  }

  /** What lies beside the model, if anything does: to try a rewritten model on. */
  public Optional<Calibration> besideModel() {
    return new ModelFolder(subject.folder()).hasCalibration()
        ? Optional.of(open(new DataRequest(List.of(), CalibrationOptions.DEFAULT)))
        : Optional.empty();
  }

  /** Measures on data that are open already. */
  public Profile run(Calibration data) {
    List<MoeBlock> blocks = subject.requireBlocks();
    Calibrator calibrator = new Calibrator(subject.model(), subject.folder(), blocks, options);
    Longest longest = new Longest();
    Calibrator.Outcome outcome;
    try (Console.Progress progress = console.begin("calibrating" + size(data), data.batches())) {
      outcome =
          calibrator.run(
              data,
              feed -> {
                longest.see(feed);
                progress.step();
              });
    } catch (RuntimeFailureException e) {
      subject.requireLoads(options);
      throw e;
    }
    outcome
        .disproved()
        .forEach(refusal -> console.say("refused: " + refusal.where() + ": " + refusal.reason()));
    for (BlockStatistics block : outcome.statistics()) {
      if (!block.neverChosen().isEmpty()) {
        console.say(
            "never chosen in '%s': experts %s".formatted(block.name(), block.neverChosen()));
      }
    }
    if (outcome.statistics().isEmpty()) {
      throw new NothingToDoException(
          subject.file() + ": every block was refused:\n" + Subject.text(outcome.disproved()));
    }
    return new Profile(
        subject.fingerprint(),
        subject.files().bytes(),
        List.of(
            new Profile.Run(
                Tool.version(),
                Session.runtimeVersion(),
                outcome.device().toString(),
                data.tokens() > 0 ? data.tokens() : routed(outcome),
                longest.sequence,
                data.files().stream().map(Calibrate::source).toList(),
                Map.of("target", subject.target().toString()))),
        outcome.statistics());
  }

  private static Profile.Source source(DataFile file) {
    return new Profile.Source(
        file.path().getFileName().toString(),
        Optional.empty(),
        file.bytes(),
        file.sha256(),
        file.tokens());
  }

  private static String size(Calibration data) {
    return data.tokens() > 0 ? " on %,d tokens".formatted(data.tokens()) : "";
  }

  /** Tokens that reached a block, for models that are not fed any. */
  private static long routed(Calibrator.Outcome outcome) {
    return outcome.statistics().stream().mapToLong(BlockStatistics::t).max().orElse(0);
  }

  /** The longest sequence that went by. */
  private static final class Longest {
    private int sequence;

    void see(Map<String, Tensor> feed) {
      Tensor tokens = feed.get("input_ids");
      if (tokens != null && tokens.rank() == 2) {
        sequence = Math.max(sequence, tokens.dims().get(1).intValue());
      }
    }
  }
}
