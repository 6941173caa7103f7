package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataFile;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** From a model and data to a profile. */
public final class Calibrate {
  private static final String HIDDEN = "the graph does not show what its down projections read";

  /** The note that says for which execution provider the model was read. */
  private static final String TARGET = "target";

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

  /**
   * Checks that a profile is what {@link #run} would make, as far as it says what it was made of.
   *
   * @throws BadInputException if it is of another model, of other data or options
   */
  public void requireDone(Profile found, Path file, DataRequest request, Calibration data) {
    OptionalInt length = request.options().sequenceLength();
    boolean isMoments = request.detail() == Detail.MOMENTS;
    boolean isSame =
        found.model().equals(subject.fingerprint())
            && found.runs().size() == 1
            && found.runs().get(0).sources().equals(sources(data))
            && found.runs().get(0).toolVersion().equals(Tool.version())
            && subject.target().toString().equals(found.runs().get(0).notes().get(TARGET))
            && (length.isEmpty() || length.getAsInt() == found.runs().get(0).sequenceLength())
            && isMoments
                == found.blocks().stream()
                    .anyMatch(block -> block.all().detail() == Detail.MOMENTS);
    if (!isSame) {
      throw new BadInputException(
          file + ": exists already, and is of another calibration; --force replaces it");
    }
  }

  /**
   * Opens the data for the model and says what they are.
   *
   * @throws NothingToDoException if no block is found
   */
  public Calibration open(DataRequest request) {
    subject.requireBlocks();
    return request.open(subject, options, console);
  }

  /** What lies beside the model, if anything does: to try a rewritten model on. */
  public Optional<Calibration> besideModel(CalibrationOptions reading) {
    return new ModelFolder(subject.folder()).hasCalibration()
        ? Optional.of(open(new DataRequest(List.of(), reading)))
        : Optional.empty();
  }

  /**
   * Measures on data that are open already: all blocks in one pass, or some after others where
   * memory does not hold the moments of all.
   */
  public Profile run(DataRequest request, Calibration data, Checkpoints checkpoints) {
    List<List<MoeBlock>> passes =
        BlockPasses.of(options).of(subject.requireBlocks(), request.detail());
    if (passes.size() > 1) {
      console.say("moments of inner neurons: %d passes over the data".formatted(passes.size()));
    }
    try (Console.Progress progress =
        console.begin("calibrating" + size(data), data.batches() * passes.size())) {
      return new Passes(request, data, checkpoints, progress).run(passes);
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(options);
      throw e;
    }
  }

  /** Passes over the same data, each of other blocks. */
  private final class Passes {
    private final DataRequest request;
    private final Calibration data;
    private final Checkpoints checkpoints;
    private final Console.Progress progress;

    Passes(
        DataRequest request, Calibration data, Checkpoints checkpoints, Console.Progress progress) {
      this.request = request;
      this.data = data;
      this.checkpoints = checkpoints;
      this.progress = progress;
    }

    Profile run(List<List<MoeBlock>> passes) {
      Measured measured = Measured.NOTHING;
      Calibrator.Outcome outcome = null;
      for (int i = 0; i < passes.size(); i++) {
        long before = i * data.batches();
        if (outcome != null && measured.batches() >= before + data.batches()) {
          continue;
        }
        try (Calibrator.Pass pass = begin(passes.get(i), before)) {
          measured = outcome == null ? start(passes, pass.device()) : measured;
          measured = measure(pass, measured, before);
          outcome = pass.outcome(measured);
        }
        measured = i + 1 < passes.size() ? checkpoints.settle(measured) : measured;
      }
      return profile(data, request.detail(), measured, outcome);
    }

    private Calibrator.Pass begin(List<MoeBlock> blocks, long before) {
      return new Calibrator(subject.model(), subject.folder(), blocks, options, request.detail())
          .begin(request.nonFinite(), before);
    }

    private Measured start(List<List<MoeBlock>> passes, Device device) {
      Measured start =
          checkpoints.start(RunFacts.of(subject, data, request, passes, device, options));
      request.requireMeasured(start);
      LongStream.range(0, start.batches()).forEach(done -> progress.step());
      return start;
    }

    private Measured measure(Calibrator.Pass pass, Measured start, long before) {
      Measured measured = start;
      long done = Math.min(start.batches() - before, data.batches());
      for (Iterator<Batch> rest = data.from(done); rest.hasNext(); progress.step()) {
        measured = pass.add(measured, rest.next());
        checkpoints.take(measured);
      }
      return measured;
    }
  }

  private Profile profile(
      Calibration data, Detail detail, Measured measured, Calibrator.Outcome outcome) {
    tell(detail, measured, outcome);
    data.warnings().forEach(console::say);
    if (outcome.statistics().isEmpty()) {
      throw new NothingToDoException(
          subject.file() + ": every block was refused:\n" + LoadedModel.text(outcome.disproved()));
    }
    Profile profile =
        new Profile(
            subject.fingerprint(),
            subject.bytes(),
            List.of(
                new Profile.Run(
                    Tool.version(),
                    Session.runtimeVersion(),
                    outcome.device().toString(),
                    data.tokens() > 0 ? data.tokens() : routed(outcome),
                    measured.sequenceLength(),
                    sources(data),
                    notes(data, measured))),
            outcome.statistics());
    return detail == Detail.MOMENTS
        ? new OrderNeurons(subject, options, console).of(profile)
        : profile;
  }

  private void tell(Detail detail, Measured measured, Calibrator.Outcome outcome) {
    outcome
        .disproved()
        .forEach(refusal -> console.say("refused: " + refusal.where() + ": " + refusal.reason()));
    for (BlockStatistics block : outcome.statistics()) {
      if (!block.neverChosen().isEmpty()) {
        console.say(
            "never chosen in '%s': experts %s".formatted(block.name(), block.neverChosen()));
      }
    }
    if (detail == Detail.MOMENTS) {
      outcome.statistics().stream()
          .filter(block -> block.all().detail() != Detail.MOMENTS)
          .forEach(
              block ->
                  console.say(
                      "no moments of '%s': %s"
                          .formatted(
                              block.name(),
                              subject.block(block.name()).haveOwnWidths()
                                  ? "its experts have different widths"
                                  : measured
                                      .unprovedMoments()
                                      .getOrDefault(block.name(), HIDDEN))));
    }
    if (!measured.skipped().isEmpty()) {
      console.say("left out, for something of theirs was not finite: " + skipped(measured));
    }
  }

  private Map<String, String> notes(Calibration data, Measured measured) {
    Map<String, String> notes = new LinkedHashMap<>();
    notes.put(TARGET, subject.target().toString());
    if (!data.own().isEmpty()) {
      notes.put(WriteOwnText.NOTE, WriteOwnText.text(data.own()));
    }
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

  private static List<Profile.Source> sources(Calibration data) {
    return data.files().stream().map(Calibrate::source).toList();
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
