package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.Prove;
import io.moneonnx.pipeline.Verify;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Gate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description =
        "Measures on held-out data how far a pruned model is from the original. With bounds it is a"
            + " gate: they must hold on all data and on those of each tag, or the exit code is 1."
            + " With --exact, proves that it is what a plan and a profile say.",
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

  @ArgGroup(exclusive = false)
  private ExactOptions exact;

  @Mixin private ReportOptions report;
  @Mixin private GateOptions gates;
  @Mixin private HeldOutOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    List<Gate> bounds = gates.gates();
    if (exact != null && !bounds.isEmpty()) {
      throw new BadInputException(
          "--exact leaves no room for bounds; leave out " + String.join(", ", gates.given()));
    }
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    report.tell(
        exact == null ? drift(bounds, options, terminal) : proof(options, terminal),
        spec.commandLine().getOut());
    return ExitCode.DONE;
  }

  private CheckReport drift(List<Gate> bounds, RunOptions options, Terminal terminal)
      throws IOException {
    Verify.Request request =
        new Verify.Request(
            model, pruned, target.or(options.device()), data.request(), bounds, report.junit());
    return new DriftReport(model, pruned, new Verify(options, terminal).run(request));
  }

  private CheckReport proof(RunOptions options, Terminal terminal) throws IOException {
    Prove.Request request =
        new Prove.Request(
            model,
            pruned,
            target.or(options.device()),
            exact.plan(),
            exact.profile(),
            exact.novice(),
            exact.refit(),
            data.request(),
            report.junit());
    return new ProofReport(pruned, new Prove(options, terminal).run(request));
  }
}
