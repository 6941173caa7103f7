package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.CheckGolden;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.golden.Tolerance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description =
        "Runs a model on what golden record was given, and compares its outputs with what was"
            + " recorded. Exit code 1 if something moved further than rounding does.")
final class GoldenCheckCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Parameters(index = "1", paramLabel = "FILE", description = "What golden record wrote.")
  private Path golden;

  @Option(
      names = "--rtol",
      paramLabel = "R",
      description =
          "What a figure may be off, as a part of its row's root mean square (default: 1e-4 where"
              + " an output is computed in float32, 1e-2 in float16, 5e-2 in bfloat16).")
  private Double rtol;

  @Option(
      names = "--atol",
      paramLabel = "A",
      description = "The absolute difference that is allowed as well (default: 0).")
  private Double atol;

  @Mixin private ReportOptions report;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Tolerance tolerance = tolerance();
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    CheckGolden.Result result =
        new CheckGolden(options, terminal)
            .run(
                new CheckGolden.Request(
                    model, target.or(options.device()), golden, tolerance, report.junit()));
    report.tell(new GoldenOutcome(model, golden, result), spec.commandLine().getOut());
    return ExitCode.DONE;
  }

  private Tolerance tolerance() {
    return new Tolerance(
        rtol == null ? OptionalDouble.empty() : OptionalDouble.of(notNegative("--rtol", rtol)),
        atol == null ? 0 : notNegative("--atol", atol));
  }

  private static double notNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new BadInputException("%s: found %s, expected 0 or more".formatted(option, value));
    }
    return value;
  }
}
