package io.moneonnx.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The manual page of a command in the language of {@code man(7)}, from what its {@code --help}
 * knows.
 */
record ManPage(CommandSpec command) {
  private static final Map<Integer, String> EXIT_CODES =
      new TreeMap<>(
          Map.of(
              ExitCode.DONE, "Done.",
              ExitCode.CHECK_FAILED, "A check failed.",
              ExitCode.BAD_INPUT, "Wrong usage or bad input.",
              ExitCode.NOTHING_TO_DO, "Nothing could be done.",
              ExitCode.ENVIRONMENT, "The environment failed."));

  /** {@code mone-onnx-golden-record}. */
  String name() {
    return command.qualifiedName("-");
  }

  String text(String version) {
    StringBuilder page = new StringBuilder();
    page.append(
        ".TH \"%s\" 1 \"\" \"%s\"\n".formatted(name().toUpperCase(Locale.ROOT), plain(version)));
    page.append(".SH NAME\n").append(plain(name())).append(" \\- ").append(plain(summary(command)));
    page.append("\n.SH SYNOPSIS\n.B ").append(plain(command.qualifiedName())).append('\n');
    page.append(plain(operands())).append("\n.SH DESCRIPTION\n");
    paragraphs(command.usageMessage().description()).forEach(page::append);
    paragraphs(command.usageMessage().footer()).forEach(page::append);
    section(page, "COMMANDS", visible(command).stream().map(ManPage::command));
    section(page, "OPERANDS", visibleOperands().map(this::argument));
    section(page, "OPTIONS", options(command).stream().map(this::argument));
    section(
        page,
        "EXIT STATUS",
        EXIT_CODES.entrySet().stream()
            .map(code -> item(plain(code.getKey().toString()), code.getValue())));
    return page.toString();
  }

  /** The first sentence of what a command says of itself, without its full stop. */
  static String summary(CommandSpec command) {
    return firstSentence(command.usageMessage().description());
  }

  static String firstSentence(String... description) {
    return String.join(" ", description).replaceFirst("(?s)\\.(\\s.*)?$", "");
  }

  /** The commands of a command that users are told of. */
  static List<CommandSpec> visible(CommandSpec command) {
    return command.subcommands().values().stream()
        .map(each -> each.getCommandSpec())
        .filter(each -> !each.usageMessage().hidden())
        .toList();
  }

  static List<OptionSpec> options(CommandSpec command) {
    return command.options().stream().filter(option -> !option.hidden()).toList();
  }

  private Stream<? extends ArgSpec> visibleOperands() {
    return command.positionalParameters().stream().filter(operand -> !operand.hidden());
  }

  private String operands() {
    return Stream.concat(
            Stream.of(visible(command).isEmpty() ? "[OPTION]..." : "COMMAND [OPTION]..."),
            visibleOperands().map(this::label))
        .collect(Collectors.joining(" "));
  }

  private static void section(StringBuilder page, String title, Stream<String> items) {
    List<String> all = items.toList();
    if (!all.isEmpty()) {
      page.append(".SH ").append(title).append('\n');
      all.forEach(page::append);
    }
  }

  private static String command(CommandSpec command) {
    return item(
        "\\fB%s\\fR".formatted(plain(command.name())),
        String.join(" ", command.usageMessage().description()));
  }

  private String argument(ArgSpec argument) {
    String label = "\\fI%s\\fR".formatted(plain(label(argument)));
    String head =
        argument instanceof OptionSpec option
            ? Stream.of(option.names())
                    .map(name -> "\\fB%s\\fR".formatted(plain(name)))
                    .collect(Collectors.joining(", "))
                + (option.arity().max() == 0 ? "" : " " + label)
            : label;
    return item(head, String.join(" ", argument.description()));
  }

  private String label(ArgSpec argument) {
    return Help.createMinimalParamLabelRenderer()
        .renderParameterLabel(argument, Help.Ansi.OFF, List.of())
        .toString()
        .strip();
  }

  private static String item(String head, String text) {
    return ".TP\n" + head + "\n" + plain(text) + "\n";
  }

  private static List<String> paragraphs(String... lines) {
    return Stream.of(lines)
        .filter(line -> !line.isBlank())
        .map(line -> ".PP\n" + plain(line.strip()) + "\n")
        .toList();
  }

  /** Text that means itself: no line of it is a request, hyphens are those that are typed. */
  private static String plain(String text) {
    String escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('\n', ' ');
    return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
  }
}
