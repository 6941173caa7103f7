package io.moneonnx.pipeline;

import io.moneonnx.data.Batch;
import io.moneonnx.data.Calibration;
import io.moneonnx.data.CalibrationOptions;
import io.moneonnx.data.DataFile;
import io.moneonnx.data.ModelFolder;
import io.moneonnx.data.ModelInputs;
import io.moneonnx.data.SequenceLength;
import io.moneonnx.graph.Value;
import io.moneonnx.moe.Target;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.run.Session;
import io.moneonnx.verify.golden.Golden;
import io.moneonnx.verify.golden.GoldenCheck;
import io.moneonnx.verify.golden.GoldenFile;
import io.moneonnx.verify.golden.GoldenReport;
import io.moneonnx.verify.golden.Recorder;
import io.moneonnx.verify.golden.Tolerance;
import io.moneonnx.verify.golden.WatchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Records what a model puts out on a few sequences, for later runs to be held against. */
public final class RecordGolden {
  private static final int RUNS = 4;
  private static final int LONGEST = 256;

  private final RunOptions options;
  private final Console console;

  public RecordGolden(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What is wanted.
   *
   * @param model a file, or a folder with a model in it
   * @param target what the model is meant to run on
   * @param data 4 sequences or samples of each tag, of 256 tokens at most, where it says no number
   * @param force whether what is at {@code output} may be replaced
   */
  public record Request(Path model, Target target, DataRequest data, Path output, boolean force) {}

  /**
   * What was done.
   *
   * @param bytes of the file
   * @param watched routers whose choices were recorded
   * @param neverChosen by router the experts that no position chose
   * @param leftOut outputs that are not recorded, since a part is whatever was in memory
   */
  public record Result(
      Golden golden,
      long bytes,
      long watched,
      Map<String, List<Integer>> neverChosen,
      List<String> leftOut) {}

  /**
   * Runs the model and writes the file.
   *
   * @throws CheckFailedException if the model puts out something else when it is run again
   * @throws io.moneonnx.graph.BadInputException if there is nothing to record on, or a file must
   *     not be replaced
   */
  public Result run(Request request) throws IOException {
    LoadedModel subject = LoadedModel.open(request.model(), request.target());
    Output.check(request.output(), request.force(), read(subject, request.data()), console);
    DataRequest brief = new DataRequest(request.data().files(), brief(subject, request.data()));
    Calibration data = brief.openHeldOut("--data", subject, console);
    try (WatchedModel model = open(subject, options)) {
      Recorder recorder = new Recorder(model, tokens(subject));
      try (Console.Progress progress =
          console.begin("recording %d runs".formatted(data.batches()), data.batches())) {
        for (Batch batch : data) {
          recorder.add(withFileNames(batch, data.files()));
          progress.step();
        }
      }
      Golden golden = recorder.golden(origin(subject, data, model));
      requireSteady(golden, model);
      GoldenFile.write(golden, request.output());
      return new Result(
          golden,
          Files.size(request.output()),
          recorder.watched(),
          recorder.neverChosen(),
          model.leftOut());
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(options);
      throw e;
    }
  }

  private static List<Path> read(LoadedModel subject, DataRequest data) {
    List<Path> read = new ArrayList<>(subject.files().all());
    read.addAll(data.named());
    if (data.files().isEmpty()) {
      read.add(new ModelFolder(subject.folder()).heldOut("--data"));
    }
    return read;
  }

  private static CalibrationOptions brief(LoadedModel subject, DataRequest data) {
    CalibrationOptions asked = data.options();
    int length =
        SequenceLength.atMost(
            LONGEST, ModelInputs.of(subject.model().graph()), new ModelFolder(subject.folder()));
    return new CalibrationOptions(
        asked.sequenceLength().isPresent() ? asked.sequenceLength() : OptionalInt.of(length),
        asked.blocks().isPresent() ? asked.blocks() : OptionalInt.of(RUNS),
        asked.batch(),
        asked.field(),
        asked.tokenizer());
  }

  /** The same samples, wherever on a machine their files lie. */
  private static Batch withFileNames(Batch batch, List<DataFile> files) {
    List<String> samples = batch.samples();
    for (DataFile file : files) {
      String name = file.path().getFileName().toString();
      samples = samples.stream().map(text -> text.replace(file.path().toString(), name)).toList();
    }
    return new Batch(batch.feeds(), batch.tag(), samples);
  }

  static WatchedModel open(LoadedModel subject, RunOptions options) {
    return WatchedModel.open(
        subject.file().toString(),
        subject.model(),
        subject.folder(),
        subject.findings().routings(),
        options);
  }

  /** The input for token ids, or else the first that data must be given for. */
  private static Optional<String> tokens(LoadedModel subject) {
    ModelInputs inputs = ModelInputs.of(subject.model().graph());
    return inputs.tokens().or(() -> inputs.wanted().stream().findFirst()).map(Value::name);
  }

  private Map<String, String> origin(LoadedModel subject, Calibration data, WatchedModel model) {
    Map<String, String> origin = new LinkedHashMap<>();
    origin.put("file", String.valueOf(subject.file().getFileName()));
    origin.put("model", subject.fingerprint());
    origin.put("mone-onnx", Tool.version());
    origin.put("ONNX Runtime", Session.runtimeVersion());
    origin.put("device", model.device().toString());
    origin.put("threads", RunFacts.threads(options));
    int number = 0;
    for (DataFile file : data.files()) {
      number++;
      origin.put("data " + number, RunFacts.text(file));
    }
    return origin;
  }

  /** What is another each time could never be checked. */
  private static void requireSteady(Golden golden, WatchedModel model) {
    GoldenCheck again = new GoldenCheck(golden, model, Tolerance.DEFAULT);
    again.add(0);
    GoldenReport report = again.report();
    report.outputs().stream()
        .filter(output -> output.failure().isPresent())
        .findFirst()
        .ifPresent(
            output -> {
              throw new CheckFailedException(
                  "the model's outputs differ from run to run: '%s' %s"
                      .formatted(output.name(), output.failure().get().text()));
            });
  }
}
