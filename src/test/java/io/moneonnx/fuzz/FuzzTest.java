package io.moneonnx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Inputs that Jazzer makes up, led by what code they reach. {@code -Dfuzz.runs=N} makes N, {@code
 * -Dfuzz.only=KIND} of one {@link Kind}; inputs that reached something new stay in {@code
 * target/fuzz} and are where the next run begins; an input that fails is put there too.
 */
@Tag("exhaustive")
final class FuzzTest {
  @TempDir private Path scratch;

  private static final String ONLY = System.getProperty("fuzz.only", "");
  private static final int LONGEST = 1 << 14;
  private static final int LONGEST_SECONDS = 10;
  private static final int MOST_MEGABYTES = 1024;

  @Test
  void endsInAResultOrOneMessage() throws IOException, InterruptedException {
    Path folder = Path.of("target", "fuzz", ONLY.isEmpty() ? "all" : ONLY);
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    Path log = folder.resolve("log");
    Laboratory laboratory = new Laboratory(scratch);
    laboratory.fill();
    List<Kind> kinds = List.of(Kind.values());
    for (int first = 0; first < kinds.size(); first++) {
      Kind kind = kinds.get(first);
      List<byte[]> seeds =
          ONLY.isEmpty() || kind == Kind.valueOf(ONLY) ? kind.seeds(laboratory) : List.of();
      for (int i = 0; i < seeds.size(); i++) {
        Files.write(corpus.resolve(kind + "-" + i), Kind.after(first, seeds.get(i)));
      }
    }

    Process jazzer =
        new ProcessBuilder(command(folder, corpus))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();

    assertThat(jazzer.waitFor()).as(end(log)).isZero();
    assertThat(Files.readString(log)).contains("Done ");
  }

  private List<String> command(Path folder, Path corpus) {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-Xmx256m",
        "-D" + FuzzTarget.KIND + "=" + ONLY,
        "-D" + FuzzTarget.LABORATORY + "=" + scratch,
        "-cp",
        System.getProperty("java.class.path"),
        "com.code_intelligence.jazzer.Jazzer",
        "--target_class=" + FuzzTarget.class.getName(),
        "--instrumentation_includes=io.moneonnx.**",
        "--custom_hook_includes=none", // what the program opens is its user's choice
        "--trace=cov",
        "--reproducer_path=" + folder,
        "-artifact_prefix=" + folder + "/",
        "-seed=1",
        "-runs=" + System.getProperty("fuzz.runs", "1000"),
        "-max_len=" + LONGEST,
        "-len_control=0",
        "-timeout=" + LONGEST_SECONDS,
        "-rss_limit_mb=" + MOST_MEGABYTES,
        corpus.toString());
  }

  private static String end(Path log) throws IOException {
    List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
  }
}
