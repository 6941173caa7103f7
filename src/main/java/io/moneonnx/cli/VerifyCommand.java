package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.pipeline.CheckFailedException;
import io.moneonnx.pipeline.Prove;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = "Proves that a pruned model is what a plan and a profile say.")
final class VerifyCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "The original: an ONNX file, or a folder with one in it.")
  private Path model;

  @Parameters(index = "1", paramLabel = "PRUNED", description = "What was made of it, likewise.")
  private Path pruned;

  @ArgGroup(exclusive = false, multiplicity = "1")
  private ExactOptions exact;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(
      names = "--junit",
      paramLabel = "FILE",
      description = "Write the outcome of each check as JUnit XML; a file there is replaced.")
  private Path junit;

  @Mixin private HeldOutOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    Prove.Request request =
        new Prove.Request(
            model,
            pruned,
            target.or(options.device()),
            exact.plan(),
            exact.profile(),
            exact.novice(),
            data.request());
    ProofReport report = new ProofReport(pruned, new Prove(options, terminal).run(request));
    if (junit != null) {
      new JUnitFile("mone-onnx verify --exact", report.cases()).write(junit);
    }
    print(report);
    if (!report.result().holds()) {
      throw new CheckFailedException(report.reasons());
    }
    return ExitCode.DONE;
  }

  private void print(ProofReport report) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      JsonWriter writer = new JsonWriter(out);
      writer.setIndent("  ");
      report.writeTo(writer);
      writer.flush();
      out.println();
    } else {
      out.print(report.text());
    }
    out.flush();
  }
}
