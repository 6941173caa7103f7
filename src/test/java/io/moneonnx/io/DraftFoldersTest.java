package io.moneonnx.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.HeldFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DraftFoldersTest {
  @TempDir private Path folder;

  @Test
  void aProgramThatIsEndingMakesNone() throws Exception {
    Process process = start(AtTheEnd.class, folder.resolve("out"));

    String said = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(said).contains("out: cannot be written: the program is told to stop");
    assertThat(folder).isEmptyDirectory();
  }

  private static Process start(Class<?> program, Path out) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            program.getName(),
            out.toString())
        .redirectErrorStream(true)
        .start();
  }

  @Test
  void whatAKilledProgramLeftIsRemovedAndWhatOthersWriteIsNot() throws Exception {
    Path out = folder.resolve("out");
    Process writing = start(Writing.class, out);
    List<Path> all = List.of();
    while (all.isEmpty() || !Files.exists(all.get(0).resolve("full"))) {
      assertThat(writing.isAlive()).isTrue();
      all = DraftFolders.all(out, "");
    }
    try (HeldFolder own = DraftFolders.beside(out)) {
      Path other = Files.createDirectory(folder.resolve(".out.tmp-of-mine"));
      Path moved = Files.createDirectory(folder.resolve(".out.tmp-1-replaced"));
      Path unlocked = Files.createDirectory(folder.resolve(".out.tmp-2"));
      Files.createFile(unlocked.resolve("of-a-file-system-without-locks"));
      assertThat(DraftFolders.removeAbandoned(out)).isEmpty();

      writing.destroyForcibly().waitFor();
      assertThat(DraftFolders.removeAbandoned(out))
          .isEqualTo(all.stream().map(DraftFolders::removed).toList());
      assertThat(all).noneMatch(Files::exists);
      assertThat(List.of(own.path(), other, moved, unlocked)).allMatch(Files::isDirectory);

      Files.setLastModifiedTime(unlocked, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
      assertThat(DraftFolders.removeAbandoned(out)).containsExactly(DraftFolders.removed(unlocked));
    }
  }

  @Test
  void whatWasEmptyWhenAProgramWasKilledIsRemoved() throws Exception {
    Path empty = Files.createDirectory(folder.resolve(".out.tmp-2"));

    assertThat(DraftFolders.removeAbandoned(folder.resolve("out")))
        .containsExactly(DraftFolders.removed(empty));
    assertThat(folder).isEmptyDirectory();
  }

  /** Writes until it is killed. */
  static final class Writing {
    private Writing() {}

    public static void main(String... args) throws Exception {
      try (HeldFolder made = DraftFolders.beside(Path.of(args[0]))) {
        Files.writeString(made.path().resolve("full"), "");
        Thread.sleep(600_000);
      }
    }
  }

  /** Begins to write when it is told to stop. */
  static final class AtTheEnd {
    private AtTheEnd() {}

    public static void main(String... args) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> write(Path.of(args[0]))));
    }

    private static void write(Path out) {
      try (HeldFolder made = DraftFolders.beside(out)) {
        System.out.println(made.path());
      } catch (CannotWriteException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
