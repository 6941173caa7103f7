package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that is told to stop stops, without a crash and without leaving anything behind. */
class InterruptTest {
  private static final int TERMINATED = 128 + 15;
  private static final Map<String, Integer> SIGNALS = Map.of("INT", 2, "TERM", 15, "HUP", 1);

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"calibrating, 300", "checking, 500"})
  void leavesNothing(String during, long milliseconds) throws Exception {
    stop(during, milliseconds);
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @ValueSource(longs = {0, 100, 900})
  void leavesNothingAtAnyMoment(long milliseconds) throws Exception {
    stop("calibrating", milliseconds);
  }

  /** Of which the loading of ONNX Runtime's libraries is one. */
  @Tag("exhaustive")
  @Test
  void endsBySignalsAtRandomMoments() throws Exception {
    assumeThat(System.getProperty("os.name")).as("where env knows of signals").isEqualTo("Linux");
    Random random = new Random(1);
    List<String> names = List.copyOf(SIGNALS.keySet());
    long longest = 0;
    int times = Math.max(names.size(), Integer.getInteger("kills", 0) / 10);
    for (int i = 0; i < times; i++) {
      String signal = names.get(i % names.size());
      Path messages = folder.resolveSibling(folder.getFileName() + ".messages");
      int pause = random.nextInt(4000);
      Process process =
          start(List.of("env", "--default-signal=INT,TERM,HUP"), Redirect.to(messages.toFile()));
      Thread.sleep(pause);
      long told = System.nanoTime();
      run("kill", "-" + signal, Long.toString(process.pid()));
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      longest = Math.max(longest, System.nanoTime() - told);

      String said = Files.readString(messages);
      Files.delete(messages);
      String moment = "%s after %d ms: %s".formatted(signal, pause, said);
      assertThat(process.exitValue()).as(moment).isEqualTo(128 + SIGNALS.get(signal));
      assertThat(said).as(moment).doesNotContain("\tat ", "Exception", "fatal error", "mone-onnx:");
      assertThat(Cli.names(folder)).as(moment).isEmpty();
    }
    System.out.printf("%d signals; the longest end took %d ms%n", times, longest / 1_000_000);
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  private void stop(String during, long milliseconds) throws Exception {
    Process process = start("--blocks", during.equals("checking") ? "1" : "500");
    try (BufferedReader messages = process.errorReader()) {
      String line = messages.readLine();
      while (line != null && !line.contains(during)) {
        line = messages.readLine();
      }
      Thread.sleep(milliseconds);

      process.toHandle().destroy();

      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(messages.lines().filter(rest -> rest.startsWith("mone-onnx:"))).isEmpty();
    }
    assertThat(process.exitValue()).isEqualTo(TERMINATED);
    assertThat(Cli.names(folder)).isEmpty();
  }

  private Process start(String... options) throws IOException {
    return start(List.of(), Redirect.PIPE, options);
  }

  private Process start(List<String> by, Redirect messages, String... options) throws IOException {
    Path model = Cli.OLMOE.toAbsolutePath();
    String classes =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>(by);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            classes,
            Main.class.getName(),
            "rewrite",
            model.toString(),
            "-o",
            folder.resolve("out.onnx").toString(),
            "--seq-len",
            "32",
            "--device",
            "cpu"));
    command.addAll(List.of(options));
    assertThat(Files.exists(model)).isTrue();
    return new ProcessBuilder(command)
        .directory(folder.toFile())
        .redirectOutput(Redirect.DISCARD)
        .redirectError(messages)
        .start();
  }
}
