package io.moneonnx.pipeline;

import io.moneonnx.moe.Target;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import io.moneonnx.verify.golden.Golden;
import io.moneonnx.verify.golden.GoldenCheck;
import io.moneonnx.verify.golden.GoldenFile;
import io.moneonnx.verify.golden.GoldenReport;
import io.moneonnx.verify.golden.Tolerance;
import io.moneonnx.verify.golden.WatchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Holds a model against outputs that were recorded. */
public final class CheckGolden {
  private final RunOptions options;
  private final Console console;

  public CheckGolden(RunOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * What is wanted.
   *
   * @param model a file, or a folder with a model in it
   * @param target what the model is meant to run on
   * @param golden the file that was recorded
   * @param report a file that is going to be written; what is there may be replaced
   */
  public record Request(
      Path model, Target target, Path golden, Tolerance tolerance, Optional<Path> report) {}

  /**
   * What was found.
   *
   * @param sameModel whether the model has the fingerprint that was recorded
   */
  public record Result(Golden golden, boolean sameModel, GoldenReport report) {}

  /**
   * Runs the model on what was recorded.
   *
   * @throws io.moneonnx.graph.BadInputException if a file is not what it should be, or the report
   *     would replace one that is read
   */
  public Result run(Request request) throws IOException {
    Golden golden = GoldenFile.read(request.golden());
    LoadedModel subject = LoadedModel.open(request.model(), request.target());
    if (request.report().isPresent()) {
      List<Path> read = new ArrayList<>(subject.files().all());
      read.add(request.golden());
      Output.check(request.report().get(), true, read, console);
    }
    boolean isSame = subject.fingerprint().equals(golden.origin().get("model"));
    try (WatchedModel model = RecordGolden.open(subject, options)) {
      GoldenCheck check = new GoldenCheck(golden, model, request.tolerance());
      List<String> wrongInputs = check.inputs();
      return new Result(
          golden, isSame, wrongInputs.isEmpty() ? run(check, golden) : check.refused(wrongInputs));
    } catch (RuntimeFailureException e) {
      subject.read().requireLoads(options);
      throw e;
    }
  }

  private GoldenReport run(GoldenCheck check, Golden golden) {
    int runs = golden.runs().size();
    try (Console.Progress progress = console.begin("checking %d runs".formatted(runs), runs)) {
      for (int run = 0; run < runs; run++) {
        check.add(run);
        progress.step();
      }
    }
    return check.report();
  }
}
