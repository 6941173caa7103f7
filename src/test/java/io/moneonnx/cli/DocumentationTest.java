package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.cli.Markdown.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What README.md and docs say to type is what the commands take. */
class DocumentationTest {
  private static final Pattern CODE = Pattern.compile("`[^`\\n]+`");
  private static final Pattern OPTION = Pattern.compile("--[a-z][a-z0-9-]*");

  static Stream<Shell> commandLines() throws IOException {
    Stream.Builder<Shell> all = Stream.builder();
    for (Markdown page : Markdown.all()) {
      page.commands().forEach(all);
    }
    return all.build();
  }

  @ParameterizedTest
  @MethodSource("commandLines")
  void everyCommandLineParses(Shell line) {
    assertThat(commandOf(line).commandSpec().subcommands())
        .as("%s: names a command", line)
        .isEmpty();
  }

  /** The innermost command that a line names, as it was parsed. */
  static ParseResult commandOf(Shell line) {
    ParseResult parsed = Main.command().parseArgs(line.arguments());
    while (parsed.hasSubcommand()) {
      parsed = parsed.subcommand();
    }
    return parsed;
  }

  @Test
  void anOptionThatIsNoneIsNoticed() {
    assertThatThrownBy(() -> commandOf(new Shell("./mone-onnx inspect model.onnx --whyever")))
        .isInstanceOf(UnmatchedArgumentException.class);
  }

  @Test
  void quotesAndBackslashesAreThoseOfTheShell() {
    List<Shell> lines = Shell.of("cd x\n./mone-onnx show 'a b' \\\n    --json \"c d\" > e\n");

    assertThat(lines).hasSize(1);
    assertThat(lines.get(0).arguments()).containsExactly("show", "a b", "--json", "c d");
  }

  @Test
  void everyOptionThatTheGuidesNameIsThere() throws IOException {
    Set<String> named = new TreeSet<>();
    StringBuilder guides = new StringBuilder();
    for (String page : List.of("README", "docs/usage", "docs/criteria", "docs/verification")) {
      guides.append(Files.readString(Path.of(page + ".md")));
    }
    CODE.matcher(guides)
        .results()
        .map(MatchResult::group)
        .flatMap(code -> OPTION.matcher(code).results().map(MatchResult::group))
        .forEach(named::add);

    assertThat(named).contains("--ratio");
    assertThat(options(Main.command())).containsAll(named);
  }

  private static Set<String> options(CommandLine command) {
    Set<String> names = new TreeSet<>();
    CommandSpec spec = command.getCommandSpec();
    spec.options().forEach(option -> names.addAll(Arrays.asList(option.names())));
    command.getSubcommands().values().forEach(sub -> names.addAll(options(sub)));
    return names;
  }
}
