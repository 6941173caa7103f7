package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code mone-onnx} with a stand-in for the JVM, which says what it was started with.
 */
class LauncherTest {
  private static final String PREPARING = "preparing mone-onnx for faster starts ...";
  private static final int INTERRUPTED = 128 + 2;

  /** Keeps classes as long as {@code dumps} says it can. */
  private static final String JAVA =
      """
      #!/usr/bin/env bash
      case "$*" in
        *-Xshare:dump*)
          %s
          for option; do
            case $option in -XX:SharedArchiveFile=*) echo classes > "${option#*=}" ;; esac
          done ;;
        *DumpLoadedClassList*) ;;
        *) echo "started $*" ;;
      esac
      """;

  @TempDir private Path given;
  private Path home;

  @BeforeEach
  void laysOutABuild() throws IOException {
    assumeThat(Path.of("/bin/bash")).isExecutable();
    home = Files.createDirectories(given.resolve("a folder"));
    for (String folder : List.of("target", "src/main", "proto", "passes", "jdk/bin")) {
      Files.createDirectories(home.resolve(folder));
    }
    Files.copy(Path.of("mone-onnx"), home.resolve("mone-onnx"));
    Files.createFile(home.resolve("pom.xml"));
    Files.writeString(home.resolve("target/classpath"), home.resolve("pom.xml").toString());
    Path jar = Files.createFile(home.resolve("target/mone-onnx.jar"));
    Instant longAgo = Instant.now().minusSeconds(60);
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : files.toList()) {
        Files.setLastModifiedTime(file, FileTime.from(longAgo));
      }
    }
    Files.setLastModifiedTime(jar, FileTime.from(longAgo.plusSeconds(1)));
    dumps("");
  }

  private void dumps(String how) throws IOException {
    Path java = Files.writeString(home.resolve("jdk/bin/java"), JAVA.formatted(how));
    assertThat(java.toFile().setExecutable(true)).isTrue();
  }

  private ProcessBuilder launcher() {
    ProcessBuilder launcher =
        new ProcessBuilder("bash", home.resolve("mone-onnx").toString(), "plan")
            .redirectErrorStream(true);
    launcher.environment().put("JAVA_HOME", home.resolve("jdk").toString());
    return launcher;
  }

  private Process start() throws IOException {
    return launcher().start();
  }

  private static String said(Process launcher) throws IOException, InterruptedException {
    String said = new String(launcher.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(launcher.waitFor()).as(said).isZero();
    assertThat(said).startsWith(PREPARING + "\nstarted ").endsWith("io.moneonnx.cli.Main plan\n");
    return said;
  }

  private List<String> kept() throws IOException {
    return Cli.names(home.resolve("target")).stream().filter(n -> n.contains(".jsa")).toList();
  }

  @Test
  void keepsClassesAtTheFirstStart() throws Exception {
    assertThat(said(start())).contains("-XX:SharedArchiveFile=" + home.resolve("target"));

    assertThat(kept()).singleElement().asString().endsWith(".jsa");
  }

  @Test
  void startsWhereClassesCannotBeKept() throws Exception {
    dumps("exit 1");

    assertThat(said(start())).doesNotContain("SharedArchiveFile");
  }

  @Test
  void startsWhereNothingCanBeWritten() throws Exception {
    Path full = Files.createDirectory(given.resolve("tools"));
    Path mktemp = Files.writeString(full.resolve("mktemp"), "#!/bin/sh\nexit 1\n");
    assertThat(mktemp.toFile().setExecutable(true)).isTrue();
    ProcessBuilder launcher = launcher();
    launcher.environment().merge("PATH", full.toString(), (all, first) -> first + ":" + all);

    assertThat(said(launcher.start())).doesNotContain("SharedArchiveFile");
    assertThat(kept()).isEmpty();
  }

  @Test
  void saysThatThereIsNoJava() throws Exception {
    Path java = home.resolve("jdk/bin/java");
    Files.delete(java);
    Process launcher = start();

    assertThat(launcher.inputReader().lines())
        .singleElement()
        .asString()
        .startsWith("mone-onnx: there is no " + java);
    assertThat(launcher.waitFor()).isEqualTo(ExitCode.ENVIRONMENT);
    assertThat(kept()).isEmpty();
  }

  @Test
  void startsTogether() throws Exception {
    dumps("sleep 0.3");
    List<Process> all = List.of(start(), start(), start());

    for (Process each : all) {
      assertThat(said(each)).contains("-XX:SharedArchiveFile=");
    }
    assertThat(kept()).hasSize(1);
  }

  @Test
  void endsWithoutATraceWhereItIsInterrupted() throws Exception {
    dumps("sleep 1");
    Process launcher = start();
    while (kept().isEmpty()) {
      Thread.sleep(10);
    }

    // Where the tests are a job in the background, shells ignore SIGINT.
    new ProcessBuilder("kill", "-TERM", Long.toString(launcher.pid())).start().waitFor();

    assertThat(launcher.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(launcher.exitValue()).isEqualTo(INTERRUPTED);
    assertThat(launcher.inputReader().lines()).containsExactly(PREPARING);
    assertThat(kept()).isEmpty();
  }
}
