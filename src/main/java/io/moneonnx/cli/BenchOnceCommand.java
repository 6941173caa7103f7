package io.moneonnx.cli;

import io.moneonnx.pipeline.BenchRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What {@code bench} starts in a process of its own, for each model in each round. */
@Command(
    name = BenchOnceCommand.NAME,
    hidden = true,
    description = "Times one model and prints the figures: a part of 'bench'.")
final class BenchOnceCommand implements Callable<Integer> {
  static final String NAME = "bench-once";

  @Parameters(paramLabel = "MODEL")
  private Path model;

  @Option(names = "--tokens", required = true)
  private int tokens;

  @Option(names = "--data")
  private Path data;

  @Mixin private DeviceSettings run;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    BenchRun.Request request = new BenchRun.Request(model, tokens, Optional.ofNullable(data));
    PrintWriter out = spec.commandLine().getOut();
    out.println(BenchRun.of(request, run.options(new Terminal())));
    out.flush();
    return ExitCode.DONE;
  }
}
