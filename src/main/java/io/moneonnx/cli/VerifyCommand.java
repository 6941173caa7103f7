package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.pipeline.CheckFailedException;
import io.moneonnx.pipeline.Verify;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Gate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description =
        "Measures on held-out data how far a pruned model is from the original. With bounds it is a"
            + " gate: they must hold on all data and on those of each tag, or the exit code is 1.",
    footer = {
      "",
      "Columns: 'KL' is the KL divergence of the next-token distributions, original from pruned, in"
          + " nats: its mean over positions, the 99th percentile and the largest; 'same first' the"
          + " part of the positions at which both put the same token first; 'perplexity' exp of the"
          + " mean loss over tokens, and 'pruned' that of the pruned model; 'met a novice' the part"
          + " of the routed calls that chose a replaced expert, 'elsewhere' of the original's calls"
          + " that chose an expert which a cut router lost.",
      "'error' is the largest difference over the largest value, of an output or of a block's"
          + " routed output, over all runs; 'cosine' that of all its numbers as one vector. Blocks"
          + " are compared in whole runs of each model: what blocks before them changed is in it."
    })
final class VerifyCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "The original: an ONNX file, or a folder with one in it.")
  private Path model;

  @Parameters(index = "1", paramLabel = "PRUNED", description = "What was made of it, likewise.")
  private Path pruned;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(
      names = "--junit",
      paramLabel = "FILE",
      description = "Write the outcome of each bound as JUnit XML; a file there is replaced.")
  private Path junit;

  @Mixin private GateOptions gates;
  @Mixin private HeldOutOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Terminal terminal = new Terminal();
    List<Gate> bounds = gates.gates();
    RunOptions options = run.options(terminal);
    Verify.Request request =
        new Verify.Request(
            model,
            pruned,
            target.or(options.device()),
            data.request(),
            bounds,
            Optional.ofNullable(junit));
    Verify.Report report = new Verify(options, terminal).run(request);
    if (junit != null) {
      junit(report).write(junit);
    }
    print(report);
    requireNoBreach(report);
    return ExitCode.DONE;
  }

  private void print(Verify.Report report) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      JsonWriter writer = new JsonWriter(out);
      writer.setIndent("  ");
      new DriftJson(model, pruned, report).writeTo(writer);
      writer.flush();
      out.println();
    } else {
      out.print(new DriftText(report));
    }
    out.flush();
  }

  private static void requireNoBreach(Verify.Report report) {
    List<Gate.Outcome> breaches = report.breaches();
    if (!breaches.isEmpty()) {
      throw new CheckFailedException(
          breaches.stream()
              .map(Gate.Outcome::text)
              .collect(
                  Collectors.joining(
                      "\n  ", "the pruned model is too far from the original\n  ", "")));
    }
  }

  private static JUnitFile junit(Verify.Report report) {
    List<JUnitFile.Case> cases =
        report.outcomes().stream()
            .map(
                outcome ->
                    new JUnitFile.Case(
                        outcome.where() + ": " + outcome.gate().measure(),
                        Optional.of(outcome.text()).filter(text -> !outcome.holds())))
            .toList();
    String ran = "ran on %,d sequences".formatted(report.sequences());
    return new JUnitFile(
        "mone-onnx verify", cases.isEmpty() ? List.of(JUnitFile.Case.passed(ran)) : cases);
  }
}
