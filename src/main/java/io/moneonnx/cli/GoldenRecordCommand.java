package io.moneonnx.cli;

import io.moneonnx.pipeline.RecordGolden;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.golden.Golden;
import io.moneonnx.verify.golden.Sketch;
import java.io.IOException;
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
    name = "record",
    mixinStandardHelpOptions = true,
    description =
        "Runs a model on a few sequences (4 of at most 256 tokens, if --limit and --seq-len say"
            + " nothing else) and writes its outputs to a small file that holds its"
            + " inputs too.")
final class GoldenRecordCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "An ONNX file, or a folder with one in it.")
  private Path model;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      required = true,
      description = "The file to write, such as golden.onnxgold.")
  private Path output;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Mixin private HeldOutOptions data;
  @Mixin private RunSettings run;
  @Mixin private TargetOption target;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Terminal terminal = new Terminal();
    RunOptions options = run.options(terminal);
    RecordGolden.Result result =
        new RecordGolden(options, terminal)
            .run(
                new RecordGolden.Request(
                    model, target.or(options.device()), data.request(), output, force));
    PrintWriter out = spec.commandLine().getOut();
    out.print(text(result));
    out.flush();
    return ExitCode.DONE;
  }

  private String text(RecordGolden.Result result) {
    Golden golden = result.golden();
    List<Sketch> first = golden.runs().get(0).sketches();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < first.size(); i++) {
      text.append(
          "output   %s %s%n".formatted(golden.outputs().get(i).name(), first.get(i).signature()));
    }
    result
        .leftOut()
        .forEach(name -> text.append("left out %s: room for keys and values%n".formatted(name)));
    text.append("routing  %s%n".formatted(routing(result)));
    result
        .neverChosen()
        .forEach(
            (router, experts) ->
                text.append(
                    "unseen   %s: experts %s, never chosen in the recorded runs%n"
                        .formatted(router, ExpertList.of(experts))));
    text.append(
        "written  %s (%d runs, %,d bytes)%n"
            .formatted(output, golden.runs().size(), result.bytes()));
    return text.toString();
  }

  private static String routing(RecordGolden.Result result) {
    return result.watched() == 0
        ? "none recorded: a near tie that turns over elsewhere is taken for a change"
        : "choices of %d routers".formatted(result.watched());
  }
}
