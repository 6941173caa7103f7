package io.moneonnx.cli;

import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.profile.ProfileJson;
import io.moneonnx.profile.ProfileText;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = "Shows the statistics of a profile.",
    footer = {
      "",
      "Columns: 'n' is how many tokens chose the expert; 'calls' is its part of the block's routed"
          + " calls, what --frequency-below looks at; 'mean gate' is its mean routing weight; 'spread'"
          + " the standard deviation of its outputs, which --spread-below compares with the block's"
          + " mean norm; 'mean norm' that of its outputs, and 'peak' the largest absolute value in"
          + " them; 'n of TAG' counts the tokens of one tag."
    })
final class ShowCommand implements Callable<Integer> {
  @Parameters(paramLabel = "PROFILE", description = "A profile that calibrate wrote.")
  private Path profile;

  @Option(names = "--json", description = "Print all statistics as JSON.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Profile measured = ProfileFile.read(profile);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ProfileJson.write(measured, out);
    } else {
      out.print(ProfileText.of(measured));
    }
    out.flush();
    return ExitCode.DONE;
  }
}
