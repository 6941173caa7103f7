package io.moneonnx.cli;

import io.moneonnx.pipeline.Output;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileMerge;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    description =
        "Joins profiles of one model: the statistics are those of one calibration on all their data.")
final class MergeCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "PROFILE",
      arity = "2..*",
      description = "Profiles that calibrate or merge wrote, in any order.")
  private List<Path> profiles;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PROFILE",
      required = true,
      description = "The profile to write.")
  private Path output;

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Terminal terminal = new Terminal();
    Output.check(output, force, profiles, terminal);
    Profile merged = ProfileMerge.write(profiles, output, terminal::say);
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%s: %,d tokens in %d runs%n", output, merged.tokens(), merged.runs().size());
    out.flush();
    return ExitCode.DONE;
  }
}
