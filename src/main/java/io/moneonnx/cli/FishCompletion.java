package io.moneonnx.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What the shell fish completes of a command line; picocli writes the like for bash and zsh.
 *
 * <pre>{@code
 * complete -c mone-onnx -n '__fish_seen_subcommand_from plan' -l ratio -x -d 'The part ...'
 * }</pre>
 */
record FishCompletion(CommandSpec main) {
  private static final String SEEN = "__fish_seen_subcommand_from ";

  String text() {
    StringBuilder text = new StringBuilder("# Completion of mone-onnx for fish.\n");
    add(text, main, List.of());
    return text.toString();
  }

  private void add(StringBuilder text, CommandSpec command, List<String> path) {
    List<CommandSpec> commands = ManPage.visible(command);
    String where = " -n " + quoted(where(path, commands));
    if (!commands.isEmpty()) {
      line(text, where + " -f");
    }
    for (CommandSpec each : commands) {
      line(text, where + " -a " + each.name() + " -d " + quoted(ManPage.summary(each)));
    }
    for (OptionSpec option : ManPage.options(command)) {
      line(text, where + option(option));
    }
    for (CommandSpec each : commands) {
      add(text, each, Stream.concat(path.stream(), Stream.of(each.name())).toList());
    }
  }

  private void line(StringBuilder text, String rest) {
    text.append("complete -c ").append(main.name()).append(rest).append('\n');
  }

  /** True for a command line on which the commands of a path were named, and none below them. */
  private static String where(List<String> path, List<CommandSpec> below) {
    Stream<String> named = path.stream().map(name -> SEEN + name);
    String others = below.stream().map(CommandSpec::name).collect(Collectors.joining(" "));
    return Stream.concat(named, Stream.of("not " + SEEN + others).filter(not -> !below.isEmpty()))
        .collect(Collectors.joining("; and "));
  }

  private static String option(OptionSpec option) {
    StringBuilder text = new StringBuilder();
    for (String name : option.names()) {
      text.append(name.startsWith("--") ? " -l " : " -s ").append(name.replaceFirst("^-+", ""));
    }
    text.append(values(option));
    return text + " -d " + quoted(ManPage.firstSentence(option.description()));
  }

  /** Files, the values that there are, or anything; nothing for what takes no value. */
  private static String values(OptionSpec option) {
    Class<?> type = option.auxiliaryTypes()[0];
    if (option.arity().max() == 0) {
      return "";
    } else if (option.completionCandidates() != null) {
      return " -x -a "
          + quoted(
              StreamSupport.stream(option.completionCandidates().spliterator(), false)
                  .collect(Collectors.joining(" ")));
    }
    return type.equals(Path.class) || type.equals(File.class) ? " -r -F" : " -x";
  }

  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace('\n', ' ') + "'";
  }
}
