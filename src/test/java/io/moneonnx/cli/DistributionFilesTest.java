package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Manual pages and completion know the commands and options that {@code --help} knows. */
class DistributionFilesTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void writes() throws IOException {
    DistributionFiles.main(folder.toString(), "1.2.3");
  }

  private static List<CommandSpec> all(CommandSpec command) {
    List<CommandSpec> all = new ArrayList<>(List.of(command));
    ManPage.visible(command).forEach(each -> all.addAll(all(each)));
    return all;
  }

  private static List<CommandSpec> all() {
    List<CommandSpec> all = all(Main.command().getCommandSpec());
    assertThat(all).hasSizeGreaterThan(10);
    return all;
  }

  @Test
  void everyCommandHasAManualPage() throws IOException {
    assertThat(Cli.names(folder.resolve("man/man1")))
        .containsExactlyInAnyOrderElementsOf(
            all().stream().map(command -> command.qualifiedName("-") + ".1").toList())
        .contains("mone-onnx.1", "mone-onnx-golden-check.1")
        .doesNotContain("mone-onnx-bench-once.1");
  }

  @Test
  void aPageNamesEveryOption() throws IOException {
    for (CommandSpec command : all()) {
      String page =
          Files.readString(folder.resolve("man/man1/" + new ManPage(command).name() + ".1"));

      assertThat(page).startsWith(".TH ").contains("mone\\-onnx 1.2.3", ".SH EXIT STATUS");
      for (OptionSpec option : ManPage.options(command)) {
        assertThat(page).contains("\\fB" + option.longestName().replace("-", "\\-") + "\\fR");
      }
    }
  }

  /** A line that begins with a dot or an apostrophe would be a request, or vanish. */
  @Test
  void onlyRequestsLookLikeRequests() throws IOException {
    try (Stream<Path> pages = Files.list(folder.resolve("man/man1"))) {
      for (Path page : pages.toList()) {
        assertThat(Files.readAllLines(page).stream().filter(line -> line.matches("[.'].*")))
            .allMatch(line -> line.matches("\\.(PP|TP|B .+|SH [A-Z ]+|TH .+)"), page.toString());
      }
    }
  }

  @Test
  void fishKnowsEveryOption() throws IOException {
    List<String> lines = Files.readAllLines(folder.resolve("completion/mone-onnx.fish"));
    for (CommandSpec command : all()) {
      for (OptionSpec option : ManPage.options(command)) {
        assertThat(lines)
            .as("%s %s", command.qualifiedName(), option.longestName())
            .anyMatch(
                line ->
                    line.contains(" -l " + option.longestName().substring(2) + " ")
                        && (command.parent() == null
                            || line.contains("__fish_seen_subcommand_from " + command.name())));
      }
    }
    assertThat(lines)
        .contains(
            "complete -c mone-onnx -n '__fish_seen_subcommand_from inspect' -l json -d 'Print JSON'")
        .anyMatch(line -> line.contains("-l method -x -a 'novice narrow'"))
        .anyMatch(line -> line.contains("-l output -r -F"))
        .noneMatch(line -> line.contains("bench-once"));
  }

  @Test
  void bashCompletesCommandsOptionsAndValues() throws Exception {
    assumeThat(Path.of("/bin/bash")).isExecutable();

    assertThat(completed("")).contains("inspect", "rewrite").doesNotContain("bench-once");
    assertThat(completed("rewrite", "--max-ppl")).containsExactly("--max-ppl-increase");
    assertThat(completed("plan", "--method", "n")).containsExactly("novice", "narrow");
  }

  private static List<String> completed(String... words) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "bash",
                "-c",
                ". \"$0\" && COMP_WORDS=(mone-onnx \"$@\") COMP_CWORD=$# && "
                    + "_complete_mone-onnx 2> /dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"",
                folder.resolve("completion/mone-onnx.bash").toString()));
    command.addAll(List.of(words));
    Process bash = new ProcessBuilder(command).start();
    String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).isZero();
    return said.lines().map(String::strip).toList();
  }
}
