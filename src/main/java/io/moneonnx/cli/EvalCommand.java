package io.moneonnx.cli;

import com.google.gson.stream.JsonWriter;
import io.moneonnx.eval.TaskScores;
import io.moneonnx.run.RunOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "eval", mixinStandardHelpOptions = true, description = "Measures a model.")
final class EvalCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Mixin private TaskOptions tasks;
  @Mixin private ReadingOptions reading;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    RunOptions options = run.options(new Terminal());
    TaskScores scores = tasks.run(model, target.or(options.device()), reading.options(), options);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      JsonWriter writer = new JsonWriter(out);
      writer.setIndent("  ");
      new TaskJson(scores).writeTo(writer);
      writer.flush();
      out.println();
    } else {
      out.print(new TaskTable(scores));
    }
    out.flush();
    return ExitCode.DONE;
  }
}
