package io.moneonnx.fuzz;

import io.moneonnx.cli.Main;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What Jazzer calls with each input that it makes up: a command reads it as one of the program's
 * files, and must end in a result or in one message.
 */
public final class FuzzTarget {
  /** Names the {@link Kind} of all inputs; where it is empty, their first byte chooses. */
  static final String KIND = "fuzz.kind";

  /** Names the folder of its {@link Laboratory}. */
  static final String LABORATORY = "fuzz.laboratory";

  private static final int NOTHING_TO_DO = 3;
  private static final int DEFECT = 70;
  private static final int LONGEST_MESSAGE = 4096;
  private static final PrintStream TERMINAL = System.err;

  private static final List<Kind> KINDS = List.of(Kind.values());

  private static String only;
  private static Laboratory laboratory;

  private FuzzTarget() {}

  /** Called once by Jazzer. */
  public static void fuzzerInitialize() {
    only = System.getProperty(KIND, "");
    laboratory = new Laboratory(Path.of(System.getProperty(LABORATORY)));
  }

  /** Called by Jazzer with each input. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    try {
      Kind kind = only.isEmpty() ? KINDS.get((input[0] & 0xff) % KINDS.size()) : Kind.valueOf(only);
      for (List<Object> command : kind.commands(Kind.rest(input), laboratory)) {
        check(command);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void check(List<Object> command) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    int code;
    try {
      System.setOut(new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(messages, true, StandardCharsets.UTF_8));
      code = Main.run(command.stream().map(String::valueOf).toArray(String[]::new));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    String said = messages.toString(StandardCharsets.UTF_8);
    require(code >= 0 && code < DEFECT, "exit code " + code, command, said);
    require(
        said.lines().noneMatch(l -> l.startsWith("mone-onnx: out of")), "memory", command, said);
    require(code <= 1 || code == NOTHING_TO_DO || errors(said) == 1, "one message", command, said);
    require(said.chars().noneMatch(FuzzTarget::isControl), "a control character", command, said);
    require(
        said.lines().allMatch(line -> line.length() <= LONGEST_MESSAGE),
        "a line too long",
        command,
        said);
  }

  private static boolean isControl(int character) {
    return Character.isISOControl(character) && character != '\n' && character != '\r';
  }

  private static long errors(String said) {
    return said.lines().filter(line -> line.startsWith("mone-onnx: ")).count();
  }

  private static void require(boolean holds, String what, List<Object> command, String said) {
    if (!holds) {
      String text = said.substring(0, Math.min(said.length(), LONGEST_MESSAGE));
      TERMINAL.println(what + " of " + command + ":\n" + text);
      throw new AssertionError(
          what + " of " + command + ": " + text.lines().limit(9).collect(Collectors.joining(" ")));
    }
  }
}
