package io.moneonnx.cli;

import io.moneonnx.data.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Where the values of options that take several end: at anything that looks like an option, and
 * before the models that a command line would lack otherwise.
 *
 * <pre>{@code
 * calibrate --data a.txt b.txt model -o p   is   calibrate model --data a.txt b.txt -o p
 * calibrate model --data a.txt --ratoi 0.5  has an unknown option, not a file '--ratoi'
 * }</pre>
 */
final class SeveralValues {
  private final CommandLine command;
  private final List<String> args;

  private final List<Values> lists = new ArrayList<>();
  private int positional;

  /**
   * The values of one option, up to the argument {@code end}.
   *
   * @param option the argument that names the option
   * @param begin the first argument that the option can do without
   */
  private record Values(int option, int begin, int end) {}

  private SeveralValues(CommandLine command, List<String> args) {
    this.command = command;
    this.args = args;
  }

  /**
   * The same command line, the models that ended a list of values put before it.
   *
   * @throws UnmatchedArgumentException if there is an unknown option among values
   */
  static String[] apart(CommandLine main, String... args) {
    CommandLine command = main;
    int from = 0;
    while (from < args.length && command.getSubcommands().containsKey(args[from])) {
      command = command.getSubcommands().get(args[from++]);
    }
    SeveralValues line = new SeveralValues(command, Arrays.asList(args));
    line.scan(from);
    return line.withModelsFirst().toArray(String[]::new);
  }

  private void scan(int from) {
    int at = from;
    while (at < args.size() && !args.get(at).equals("--")) {
      String arg = args.get(at++);
      OptionSpec option = option(arg);
      boolean isAttached = option != null && arg.contains("=");
      if (option != null && option.arity().isVariable()) {
        int end = end(at);
        lists.add(new Values(at - 1, isAttached ? at : at + 1, end));
        at = end;
      } else if (option != null && !isAttached) {
        at += option.arity().max();
      } else if (option == null && !looksLikeOption(arg)) {
        positional++;
      }
    }
    positional += Math.max(0, args.size() - at - 1);
  }

  /** The end of values that begin here. */
  private int end(int from) {
    int end = from;
    while (end < args.size() && option(args.get(end)) == null && !args.get(end).equals("--")) {
      if (looksLikeOption(args.get(end))) {
        throw new UnmatchedArgumentException(command, List.of(args.get(end)));
      }
      end++;
    }
    return end;
  }

  private OptionSpec option(String arg) {
    int equals = arg.indexOf('=');
    return spec().optionsMap().get(equals > 0 ? arg.substring(0, equals) : arg);
  }

  private CommandSpec spec() {
    return command.getCommandSpec();
  }

  private static boolean looksLikeOption(String arg) {
    return arg.length() > 1 && arg.startsWith("-");
  }

  private List<String> withModelsFirst() {
    int wanted = spec().positionalParameters().stream().mapToInt(each -> each.arity().min()).sum();
    List<String> moved = new ArrayList<>(args);
    for (int list = lists.size() - 1; list >= 0 && positional < wanted; list--) {
      Values values = lists.get(list);
      int models = models(values, wanted - positional);
      List<String> group = moved.subList(values.option(), values.end());
      Collections.rotate(group, models);
      positional += models;
    }
    return moved;
  }

  /** How many of the values are models at their end; at least one value stays the option's. */
  private int models(Values values, int most) {
    int models = 0;
    while (models < most
        && values.end() - models > values.begin()
        && ModelFolder.isModel(Path.of(args.get(values.end() - models - 1)))) {
      models++;
    }
    return models;
  }
}
