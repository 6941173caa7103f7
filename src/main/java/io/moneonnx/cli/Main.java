package io.moneonnx.cli;

import io.moneonnx.io.CannotWriteException;
import io.moneonnx.io.OnnxReader;
import io.moneonnx.pipeline.Tool;
import io.moneonnx.run.Session;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command {@code mone-onnx}. */
@Command(
    name = "mone-onnx",
    description =
        "Makes exported ONNX Mixture-of-Experts models smaller: redundant experts are "
            + "replaced by constant novices, and the result is proved.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class)
public final class Main implements Runnable {
  private static final List<Class<?>> COMMANDS =
      List.of(
          InspectCommand.class,
          CalibrateCommand.class,
          PlanCommand.class,
          CompareCommand.class,
          EvalCommand.class,
          RewriteCommand.class,
          VerifyCommand.class,
          BenchCommand.class,
          BenchOnceCommand.class,
          ShowCommand.class,
          MergeCommand.class,
          ExportCommand.class,
          GoldenCommand.class,
          HelpCommand.class);

  /** A folder that cannot be made, so that temporary ones are used. */
  private static final String NO_HOME = "/nonexistent";

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  private boolean debug;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  public static void main(String... args) {
    settleHome();
    System.exit(run(args));
  }

  /**
   * Libraries keep what they unpack in the user's home, which Java calls {@code ?} where the system
   * does not know the user, as in containers: a folder of that name, wherever one is.
   */
  private static void settleHome() {
    if (!Path.of(System.getProperty("user.home")).isAbsolute()) {
      String home = System.getenv("HOME");
      System.setProperty("user.home", home != null && Path.of(home).isAbsolute() ? home : NO_HOME);
    }
  }

  /** Runs one command line; returns its exit code. */
  public static int run(String... args) {
    // Numbers are printed alike everywhere, as they are read.
    Locale.setDefault(Locale.ROOT);
    CommandLine command = command(named(args));
    Main main = command.getCommand();
    try {
      int code = command.execute(SeveralValues.apart(command, args));
      // Print streams keep what goes wrong to themselves.
      return code == ExitCode.DONE && System.out.checkError()
          ? ExitCode.report(
              new CannotWriteException("standard output cannot be written"),
              command.getErr(),
              main.debug)
          : code;
    } catch (CommandLine.ParameterException e) {
      return ExitCode.reportUsage(e);
    } catch (OutOfMemoryError | StackOverflowError e) {
      return ExitCode.report(e, command.getErr(), main.debug);
    }
  }

  /** The one command that a line names, so that the options of others need not be read; or all. */
  private static List<Class<?>> named(String... args) {
    List<Class<?>> named =
        COMMANDS.stream().filter(type -> args.length > 0 && args[0].equals(name(type))).toList();
    return named.isEmpty() || named.contains(HelpCommand.class) ? COMMANDS : named;
  }

  private static String name(Class<?> command) {
    return command.getAnnotation(Command.class).name();
  }

  /** All commands and options, ready to parse. */
  static CommandLine command() {
    return command(COMMANDS);
  }

  private static CommandLine command(List<Class<?>> commands) {
    Main main = new Main();
    CommandLine command = new CommandLine(main);
    commands.forEach(type -> command.addSubcommand(name(type), type));
    command.setExecutionExceptionHandler(
        (error, failed, parsed) -> ExitCode.report(error, failed.getErr(), main.debug));
    command.setParameterExceptionHandler((error, line) -> ExitCode.reportUsage(error));
    command.setCaseInsensitiveEnumValuesAllowed(true);
    command.setOut(PlainText.writer(System.out));
    command.setErr(PlainText.writer(System.err));
    OptionValues.register(command);
    return command;
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "a command is missing: " + String.join(", ", names(spec)));
  }

  /** The commands that users are told of. */
  static List<String> names(CommandLine.Model.CommandSpec main) {
    return main.subcommands().entrySet().stream()
        .filter(command -> !command.getValue().getCommandSpec().usageMessage().hidden())
        .map(Map.Entry::getKey)
        .toList();
  }

  /** What people who report a problem are asked for; nothing is loaded for it. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return Stream.of(
              Stream.of(
                  "mone-onnx " + Tool.version(),
                  "ONNX opset 13 and later, IR version %d and earlier"
                      .formatted(OnnxReader.irVersion()),
                  "Java %s (%s, %s %s)"
                      .formatted(
                          property("java.version"),
                          property("java.vendor"),
                          property("os.name"),
                          property("os.arch"))),
              Session.facts().stream())
          .flatMap(lines -> lines)
          .toArray(String[]::new);
    }

    private static String property(String name) {
      return System.getProperty(name);
    }
  }
}
