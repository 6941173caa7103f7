package io.moneonnx.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "golden",
    mixinStandardHelpOptions = true,
    description =
        "Regression tests: records the outputs of a model on a few sequences, and holds it, or"
            + " another export of it, against that.",
    subcommands = {GoldenRecordCommand.class, GoldenCheckCommand.class})
final class GoldenCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "a command is missing: " + String.join(", ", spec.subcommands().keySet()));
  }
}
