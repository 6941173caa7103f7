package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BenchTest {
  @TempDir private Path folder;

  private static Cli bench(Object model, Object pruned, Object... options) {
    Object[] all = new Object[options.length + 9];
    System.arraycopy(
        new Object[] {"bench", model, pruned, "--device", "cpu", "--threads", 1, "--runs", 1},
        0,
        all,
        0,
        9);
    System.arraycopy(options, 0, all, 9, options.length);
    return Cli.run(all);
  }

  @Test
  void comparesBothModels() {
    Cli done = bench(TwoLayers.MODEL, TwoLayers.MODEL, "--tokens", 8).succeeds();

    assertThat(done.out().lines().map(line -> line.replaceFirst("  .*", "")))
        .containsExactly(
            "",
            "file (bytes)",
            "load (ms)",
            "prefill, 8 tokens (ms)",
            "decode, 1 token (ms)",
            "peak memory (MiB)",
            "on",
            "tokens");
    assertThat(done.out()).containsPattern("file \\(bytes\\) +(\\d[\\d,]+) +\\1 +1\\.000");
  }

  @Test
  void tellsProgramsTheSame() {
    JsonObject found =
        JsonParser.parseString(
                bench(TwoLayers.MODEL, TwoLayers.MODEL, "--tokens", 4, "--json").succeeds().out())
            .getAsJsonObject();

    assertThat(found.get("tokens").getAsInt()).isEqualTo(4);
    assertThat(found.getAsJsonObject("original").get("prefill").getAsDouble()).isPositive();
    assertThat(found.getAsJsonObject("pruned").get("memory").getAsDouble()).isGreaterThan(1 << 20);
    assertThat(found.getAsJsonObject("ratio").get("file").getAsDouble()).isEqualTo(1);
  }

  @Tag("exhaustive")
  @Test
  void runsOnDataThatAreGiven() throws IOException {
    Path text = Files.writeString(folder.resolve("some.txt"), "Once upon a time. ".repeat(600));

    Cli done = bench(TwoLayers.MODEL, TwoLayers.MODEL, "--data", text).succeeds();

    assertThat(done.out()).contains("run (ms)").doesNotContain("prefill", "decode", "made up");
  }

  @Test
  void runsOnStandardInput() {
    InputStream before = System.in;
    try {
      System.setIn(
          new ByteArrayInputStream(
              "Once upon a time. ".repeat(9).getBytes(StandardCharsets.UTF_8)));
      Cli done = bench(TwoLayers.MODEL, TwoLayers.MODEL, "--data", "-").succeeds();
      assertThat(done.out()).contains("run (ms)");
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void refusesWhatTheOtherProcessCannotRead() {
    Path nothing = folder.resolve("nothing.npz");

    bench(TwoLayers.MODEL, TwoLayers.MODEL, "--data", nothing)
        .fails(ExitCode.BAD_INPUT, "nothing.npz");
  }

  @Test
  void refusesNoTokens() {
    bench(TwoLayers.MODEL, TwoLayers.MODEL, "--tokens", 0)
        .fails(ExitCode.BAD_INPUT, "--tokens", "found 0", "expected 1");
  }

  @Test
  void runsModelsAsTheyAreAndTakesNoLimitOnMemory() {
    bench(TwoLayers.MODEL, TwoLayers.MODEL, "--memory", "8GiB")
        .fails(ExitCode.BAD_INPUT, "no option '--memory' of bench");
  }

  @Test
  void isTheOnlyCommandThatUsersAreToldOf() {
    Cli.run().fails(ExitCode.BAD_INPUT, "bench");

    assertThat(Cli.run().err()).doesNotContain("bench-once");
  }
}
