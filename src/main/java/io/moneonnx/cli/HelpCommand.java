package io.moneonnx.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "help",
    mixinStandardHelpOptions = true,
    description = "Shows what a command does and takes.")
final class HelpCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "A command, such as 'rewrite' or 'golden check'; all of them without it.")
  private String[] words = {};

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    CommandLine found = spec.commandLine().getParent();
    for (String word : words) {
      CommandLine next = found.getSubcommands().get(word);
      if (next == null) {
        throw new ParameterException(
            found, ExitCode.noCommand(word, Main.names(found.getCommandSpec())));
      }
      found = next;
    }
    found.usage(spec.commandLine().getOut());
    return ExitCode.DONE;
  }
}
