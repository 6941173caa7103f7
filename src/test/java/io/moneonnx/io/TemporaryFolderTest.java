package io.moneonnx.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryFolderTest {
  @TempDir private Path folder;

  @Test
  void aProgramThatIsEndingMakesNone() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                AtTheEnd.class.getName(),
                folder.resolve("out").toString())
            .redirectErrorStream(true)
            .start();

    String said = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(said).contains("out: cannot be written: the program is told to stop");
    assertThat(folder).isEmptyDirectory();
  }

  /** Begins to write when it is told to stop. */
  static final class AtTheEnd {
    private AtTheEnd() {}

    public static void main(String... args) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> write(Path.of(args[0]))));
    }

    private static void write(Path out) {
      try (TemporaryFolder made = TemporaryFolder.beside(out)) {
        System.out.println(made.path());
      } catch (CannotWriteException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
