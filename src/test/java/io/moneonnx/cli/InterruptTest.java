package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that is told to stop stops, without a crash and without leaving anything behind. */
class InterruptTest {
  private static final int TERMINATED = 128 + 15;

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
    Path model = Cli.OLMOE.toAbsolutePath();
    String classes =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> command =
        new ArrayList<>(
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
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
