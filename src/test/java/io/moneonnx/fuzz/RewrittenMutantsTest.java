package io.moneonnx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.fuzz.RewrittenMutant.End;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * As many mutants as {@code -Dmutants=N} says are rewritten, and none of them wrong; where the
 * proof fails nothing is written. They are tried in a process of their own: ONNX Runtime itself
 * does not outlive every graph. {@code target/mutants.tsv} has the counts, and the numbers of what
 * is worth a look.
 */
@Tag("exhaustive")
final class RewrittenMutantsTest {
  private static final int WANTED = Integer.getInteger("mutants", 60);

  @TempDir private Path folder;

  private final Map<End, List<Integer>> ends = new EnumMap<>(End.class);
  private final List<Integer> crashed = new ArrayList<>();

  @Test
  void areWhatTheyWereWithoutTheExpertsThatWent() throws IOException {
    int next = 0;
    while (rewritten() < WANTED) {
      next = tryFrom(next);
    }
    StringBuilder table =
        new StringBuilder("runtime crashed\t%d\t%s\n".formatted(crashed.size(), crashed));
    ends.forEach(
        (end, seeds) ->
            table.append("%s\t%d\t%s\n".formatted(end, seeds.size(), end.isUsual ? "" : seeds)));
    Files.writeString(Path.of("target", "mutants.tsv"), table);

    assertThat(ends).as(table.toString()).doesNotContainKeys(End.WRONG, End.DEFECT);
  }

  private int rewritten() {
    return ends.getOrDefault(End.REWRITTEN, List.of()).size();
  }

  /** Goes on until enough are rewritten or the process is gone; returns the number of the next. */
  private int tryFrom(int first) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:ErrorFile=" + folder.resolve("crash"),
                "-cp",
                System.getProperty("java.class.path"),
                RewrittenMutant.class.getName(),
                folder.toString(),
                Integer.toString(first))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    int seed = first - 1;
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.matches("\\d+")) {
          seed = Integer.parseInt(line);
        } else if (line.matches("[A-Z_]+")) {
          ends.computeIfAbsent(End.valueOf(line), end -> new ArrayList<>()).add(seed);
          if (rewritten() == WANTED) {
            return seed + 1;
          }
        }
      }
    } finally {
      process.destroyForcibly().onExit().join();
    }
    assertThat(seed).as("the process says what it is at").isGreaterThanOrEqualTo(first);
    crashed.add(seed);
    return seed + 1;
  }
}
