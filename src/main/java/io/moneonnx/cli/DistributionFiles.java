package io.moneonnx.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * What an archive has beside the program, written while it is packed: a manual page for each
 * command in {@code man/man1}, and completion for shells in {@code completion}.
 */
public final class DistributionFiles {
  private DistributionFiles() {}

  /** Takes the folder to write to, and the version to name. */
  public static void main(String... arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    CommandLine command = Main.command();
    CommandSpec main = command.getCommandSpec();
    Path completion = Files.createDirectories(folder.resolve("completion"));
    // Picocli's script for bash loads in zsh too.
    Files.writeString(
        completion.resolve(main.name() + ".bash"), AutoComplete.bash(main.name(), command));
    Files.writeString(completion.resolve(main.name() + ".fish"), new FishCompletion(main).text());
    manuals(main, Files.createDirectories(folder.resolve("man/man1")), arguments[1]);
  }

  private static void manuals(CommandSpec command, Path folder, String version) throws IOException {
    ManPage page = new ManPage(command);
    Files.writeString(folder.resolve(page.name() + ".1"), page.text("mone-onnx " + version));
    for (CommandSpec each : ManPage.visible(command)) {
      manuals(each, folder, version);
    }
  }
}
