package io.moneonnx.cli;

import io.moneonnx.data.DataSource;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.pipeline.Compare;
import io.moneonnx.pipeline.DataRequest;
import io.moneonnx.run.RunOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description =
        "Measures on held-out data what ways of pruning cost, without writing a model: nats per"
            + " token, their increase over the unpruned model with its standard error over"
            + " sequences, and next-token accuracy.",
    footer = {
      "",
      "Columns: 'loss' is in nats per token, and 'increase' over the unpruned model, the mean over"
          + " the test files; a file's own column is its increase; 'error' is the standard error of"
          + " the increase ('-' where a file has one sequence); 'right' is the part of the next"
          + " tokens that the model ranks first. 'least' names the options of the least increase."
    })
final class CompareCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Option(names = "--profile", required = true, description = "A profile of this model.")
  private Path profile;

  @Option(
      names = "--data",
      paramLabel = "SRC",
      arity = "1..*",
      description =
          "With --refit: the calibration data, read as --test are. Without it:"
              + " calibration.{txt,jsonl,npz} in the model's directory.")
  private List<String> data = List.of();

  @Mixin private RefitOptions refit;
  @Mixin private TestOptions test;
  @Mixin private ChoiceOptions choices;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (!data.isEmpty() && refit.tokens().isEmpty()) {
      throw new BadInputException("--data requires --refit: the profile holds what was measured");
    }
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    Compare.Result result =
        new Compare(options, terminal)
            .run(
                new Compare.Request(
                    model,
                    target.or(options.device()),
                    profile,
                    test.files(),
                    test.reading(),
                    choices.goals(),
                    new DataRequest(data.stream().map(DataSource::parse).toList(), test.reading()),
                    refit.tokens()));
    PrintWriter out = spec.commandLine().getOut();
    out.print(new CostTable(result));
    out.flush();
    return ExitCode.DONE;
  }
}
