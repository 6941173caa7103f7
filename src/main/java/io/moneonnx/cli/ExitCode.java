package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Nearest;
import io.moneonnx.io.CannotWriteException;
import io.moneonnx.pipeline.CheckFailedException;
import io.moneonnx.pipeline.NothingToDoException;
import io.moneonnx.run.RuntimeFailureException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What the program's exit codes mean. */
final class ExitCode {
  static final int DONE = 0;
  static final int CHECK_FAILED = 1;
  static final int BAD_INPUT = 2;
  static final int NOTHING_TO_DO = 3;
  static final int ENVIRONMENT = 4;
  private static final int BUG = 70;

  /** How picocli says that a value is none of several. */
  private static final Pattern CHOICE =
      Pattern.compile(
          "Invalid value for option '([^']*)': expected one of \\[(.*)\\] \\(case-insensitive\\)"
              + " but was '(.*)'");

  private ExitCode() {}

  /** Prints an error as one message and returns its exit code. */
  static int report(Throwable error, PrintWriter err, boolean debug) {
    int code = of(error);
    err.println("mone-onnx: " + PlainText.message(message(error, code)));
    if (debug || code == BUG) {
      error.printStackTrace(err);
    }
    err.flush();
    return code;
  }

  /** Prints what is wrong with the command line, and where to read on. */
  static int reportUsage(ParameterException error) {
    CommandLine command = error.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("mone-onnx: " + PlainText.message(usageMessage(error)));
    err.printf("'%s --help' says what it takes%n", command.getCommandSpec().qualifiedName());
    err.flush();
    return BAD_INPUT;
  }

  private static String usageMessage(ParameterException error) {
    if (error instanceof UnmatchedArgumentException unmatched) {
      return unmatched(unmatched, error.getCommandLine().getCommandSpec());
    }
    Matcher choice = CHOICE.matcher(error.getMessage());
    if (choice.matches()) {
      List<String> choices = List.of(choice.group(2).toLowerCase(Locale.ROOT).split(", "));
      String written = choice.group(3);
      return "option %s: found '%s', expected one of %s%s"
          .formatted(
              choice.group(1),
              written,
              String.join(", ", choices),
              Nearest.question(written, choices));
    }
    return error.getMessage().replaceFirst("^Error: ", "");
  }

  private static String unmatched(UnmatchedArgumentException error, CommandSpec command) {
    String first = error.getUnmatched().get(0);
    if (error.isUnknownOption()) {
      String written = first.replaceFirst("=.*", "");
      return "no option '%s' of %s%s"
          .formatted(
              written,
              command.qualifiedName().replaceFirst("^mone-onnx ", ""),
              Nearest.question(written, command.optionsMap().keySet()));
    }
    return command.subcommands().isEmpty()
        ? "'%s' is more than %s takes"
            .formatted(first, command.qualifiedName().replaceFirst("^mone-onnx ", ""))
        : noCommand(first, Main.names(command));
  }

  /** There is no such command; there may be one of a name that is near. */
  static String noCommand(String written, List<String> commands) {
    String question = Nearest.question(written, commands);
    return "no command '%s'%s"
        .formatted(
            written, question.isEmpty() ? "; there are " + String.join(", ", commands) : question);
  }

  private static int of(Throwable error) {
    if (error instanceof CheckFailedException) {
      return CHECK_FAILED;
    } else if (error instanceof BadInputException) {
      return BAD_INPUT;
    } else if (error instanceof NothingToDoException) {
      return NOTHING_TO_DO;
    } else if (error instanceof CannotWriteException
        || error instanceof RuntimeFailureException
        || error instanceof IOException
        || error instanceof UncheckedIOException
        || error instanceof VirtualMachineError) {
      return ENVIRONMENT;
    }
    return BUG;
  }

  private static String message(Throwable error, int code) {
    String text = error.getMessage() == null ? error.toString() : error.getMessage();
    if (error instanceof VirtualMachineError) {
      return "out of memory: " + error;
    } else if (error instanceof IOException || error instanceof UncheckedIOException) {
      return "cannot read or write: " + text;
    }
    return code == BUG ? "a defect of mone-onnx: " + error : text;
  }
}
