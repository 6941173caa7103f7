package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * One command line as a user sees it.
 *
 * @param code the exit code
 * @param out standard output
 * @param err standard error
 */
record Cli(int code, String out, String err) {
  /** A real, trained model, with tokenizer and calibration text beside it. */
  static final Path OLMOE = Path.of("models", "olmoe-tiny", "model.onnx");

  /** Runs {@code mone-onnx} in this process; arguments are what they print themselves as. */
  static Cli run(Object... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(messages, true, StandardCharsets.UTF_8));
      int code = Main.run(Arrays.stream(args).map(String::valueOf).toArray(String[]::new));
      return new Cli(
          code,
          captured.toString(StandardCharsets.UTF_8),
          messages.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  Cli succeeds() {
    assertThat(code).as(err).isZero();
    return this;
  }

  /** Ends with {@code expected} and one message, which names all {@code parts}. */
  void fails(int expected, Object... parts) {
    assertThat(code).as(err).isEqualTo(expected);
    List<String> messages = err.lines().filter(line -> line.startsWith("mone-onnx: ")).toList();
    assertThat(messages).as(err).hasSize(1);
    assertThat(messages.get(0))
        .contains(Arrays.stream(parts).map(String::valueOf).toArray(String[]::new));
    assertThat(err).doesNotContain("Exception", "\tat ", "onnxruntime_src");
    assertThat(out).isEmpty();
  }

  /** Names of what lies in a folder, sorted. */
  static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
