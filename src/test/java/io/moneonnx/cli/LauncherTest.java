package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.moneonnx.passgen.SourceSums;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
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

  /** Builds as long as {@code how} says it can, and tells of each build in a file. */
  private static final String MAVEN =
      """
      #!/usr/bin/env bash
      echo "$*" >> builds
      echo '[INFO] --- exec-maven-plugin:3.6.4:java (compile-passes) @ mone-onnx ---'
      echo '[INFO] --- maven-compiler-plugin:3.16.0:compile (default-compile) @ mone-onnx ---'
      find pom.xml src/main proto passes -type f -exec cksum {} + | LC_ALL=C sort > target/sources
      rm -f target/mone-onnx.jar
      %s
      echo '[INFO] --- maven-jar-plugin:3.5.1:jar (default-jar) @ mone-onnx ---'
      touch target/mone-onnx.jar
      echo '%s' > target/classpath
      """;

  /** Any file that is there. */
  private static final Path LIBRARY = Path.of("pom.xml").toAbsolutePath();

  private static final List<String> BUILDING =
      List.of("building mone-onnx ...", "  compiling patterns", "  compiling", "  packing");

  /** All that the script calls, but for the lock of Linux. */
  private static final List<String> PROGRAMS =
      List.of(
          "awk",
          "bash",
          "cat",
          "cksum",
          "cmp",
          "cut",
          "dirname",
          "find",
          "grep",
          "mkdir",
          "mktemp",
          "mv",
          "readlink",
          "rm",
          "rmdir",
          "sleep",
          "sort",
          "tee",
          "touch");

  @TempDir private Path given;
  private Path home;

  /** Where programs are looked for after those that stand in. */
  private String path = System.getenv("PATH");

  @BeforeEach
  void laysOutABuild() throws IOException {
    assumeThat(Path.of("/bin/bash")).isExecutable();
    home = Files.createDirectories(given.resolve("a folder"));
    for (String folder : List.of("target", "src/main", "proto", "passes")) {
      Files.createDirectories(home.resolve(folder));
    }
    Files.createDirectories(given.resolve("jdk/bin"));
    Files.createDirectory(given.resolve("maven"));
    Files.copy(Path.of("mone-onnx"), home.resolve("mone-onnx"));
    Files.writeString(home.resolve("pom.xml"), "<project/>");
    Files.writeString(home.resolve("src/main/A.java"), "class A {}");
    Files.writeString(home.resolve("src/main/B.java"), "class B {}\n".repeat(100));
    sumsSources();
    Files.writeString(home.resolve("target/classpath"), LIBRARY.toString());
    Files.createFile(home.resolve("target/mone-onnx.jar"));
    dumps("");
    builds("");
  }

  /** As Maven does. */
  private void sumsSources() throws IOException {
    SourceSums.main(
        new String[] {
          home.toString(),
          home.resolve("target/sources").toString(),
          home.resolve("target/mone-onnx.jar").toString(),
          "pom.xml",
          "src/main",
          "proto",
          "passes"
        });
  }

  private void dumps(String how) throws IOException {
    program(given.resolve("jdk/bin/java"), JAVA.formatted(how));
  }

  private void builds(String how) throws IOException {
    program(given.resolve("maven/mvn"), MAVEN.formatted(how, LIBRARY));
  }

  private static void program(Path file, String text) throws IOException {
    Files.writeString(file, text);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private ProcessBuilder launcher() {
    ProcessBuilder launcher =
        new ProcessBuilder("bash", home.resolve("mone-onnx").toString(), "plan")
            .redirectErrorStream(true);
    launcher.environment().put("JAVA_HOME", given.resolve("jdk").toString());
    launcher.environment().put("PATH", path);
    findsFirst(launcher, given.resolve("maven"));
    return launcher;
  }

  private static void findsFirst(ProcessBuilder launcher, Path programs) {
    launcher.environment().merge("PATH", programs.toString(), (all, first) -> first + ":" + all);
  }

  private Process start() throws IOException {
    return launcher().start();
  }

  private static String said(Process launcher) throws IOException, InterruptedException {
    String said = text(launcher);
    assertThat(launcher.exitValue()).as(said).isZero();
    assertThat(said).startsWith(PREPARING + "\nstarted ").endsWith("io.moneonnx.cli.Main plan\n");
    return said;
  }

  private static String text(Process launcher) throws IOException, InterruptedException {
    String text = new String(launcher.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    launcher.waitFor();
    return text;
  }

  /** What the launcher says before the program does. */
  private List<String> saysFirst() throws IOException, InterruptedException {
    return text(start()).lines().takeWhile(line -> !line.startsWith("started ")).toList();
  }

  /** The command lines of Maven so far. */
  private List<String> builds() throws IOException {
    Path builds = home.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds) : List.of();
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
    program(full.resolve("mktemp"), "#!/bin/sh\nexit 1\n");
    ProcessBuilder launcher = launcher();
    findsFirst(launcher, full);

    assertThat(said(launcher.start())).doesNotContain("SharedArchiveFile");
    assertThat(kept()).isEmpty();
  }

  @Test
  void saysThatThereIsNoJava() throws Exception {
    Path java = given.resolve("jdk/bin/java");
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
  void saysThatJavaIsTooOld() throws Exception {
    Files.writeString(given.resolve("jdk/release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"11.0.2\"\n");
    Process launcher = start();

    assertThat(text(launcher))
        .isEqualTo(
            "mone-onnx: %s is of Java 11; expected Java 17 or later on the PATH or in JAVA_HOME\n"
                .formatted(given.toRealPath().resolve("jdk/bin/java")));
    assertThat(launcher.exitValue()).isEqualTo(ExitCode.ENVIRONMENT);
  }

  @Test
  void startsAnArchiveAsItWasUnpacked() throws Exception {
    Path archive = Files.createDirectories(given.resolve("archive"));
    Files.createDirectory(archive.resolve("bin"));
    Files.move(home.resolve("mone-onnx"), archive.resolve("bin/mone-onnx"));
    Path jar = Files.createFile(archive.resolve("mone-onnx.jar"));
    home = archive.resolve("bin");

    assertThat(text(start())).startsWith("started ").contains("-cp " + jar.toRealPath() + " ");
    assertThat(builds()).isEmpty();
    assertThat(Cli.names(archive)).containsExactly("bin", "mone-onnx.jar");
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

  @Test
  void keepsClassesOfTheLatestBuildOnly() throws Exception {
    said(start());
    List<String> before = kept();
    Files.writeString(home.resolve("src/main/A.java"), "class A { int a; }");
    saysFirst();

    assertThat(kept()).hasSize(1).doesNotContainAnyElementsOf(before);
  }

  @Test
  void buildsWhatChanged() throws Exception {
    FileTime written = Files.getLastModifiedTime(home.resolve("src/main/A.java"));
    Files.writeString(home.resolve("src/main/A.java"), "class C {}");
    Files.setLastModifiedTime(home.resolve("src/main/A.java"), written);

    assertThat(saysFirst()).startsWith(BUILDING.toArray(String[]::new));
    assertThat(builds()).containsExactly("-B -Dmaven.test.skip=true package");
    assertThat(saysFirst()).isEmpty();
  }

  @Test
  void buildsWhatIsGone() throws Exception {
    Files.delete(home.resolve("src/main/A.java"));

    assertThat(saysFirst()).startsWith(BUILDING.get(0));
  }

  /** As in a copied folder, a restored cache, a layer of a container. */
  @Test
  void doesNotBuildWhatHasAnotherDate() throws Exception {
    said(start());
    Files.setLastModifiedTime(
        home.resolve("src/main/A.java"), FileTime.from(Instant.now().plusSeconds(60)));
    Path copy = given.resolve("a copy");
    assertThat(new ProcessBuilder("cp", "-r", home.toString(), copy.toString()).start().waitFor())
        .isZero();
    home = copy;

    assertThat(saysFirst()).isEmpty();
    assertThat(builds()).isEmpty();
  }

  @Test
  void aBuildOfOtherSourcesLeavesNoJarBehind() throws Exception {
    sumsSources();
    assertThat(home.resolve("target/mone-onnx.jar")).exists();

    Files.writeString(home.resolve("passes/A.pattern"), "");
    sumsSources();

    assertThat(home.resolve("target/mone-onnx.jar")).doesNotExist();
  }

  @Test
  void keepsToTheBuildForCpus() throws Exception {
    Path library = Files.createFile(given.resolve("jdk/onnxruntime-1.29.0.jar"));
    Files.writeString(home.resolve("target/classpath"), library.toString());
    Files.delete(home.resolve("src/main/A.java"));
    builds("exit 1");
    saysFirst();
    builds("");
    saysFirst();

    String command = "-B -Dmaven.test.skip=true -Pcpu package";
    assertThat(builds()).containsExactly(command, command);
  }

  @Test
  void saysWhyABuildFails() throws Exception {
    builds("echo '[ERROR] A.java: no such class'; exit 1");
    Files.delete(home.resolve("src/main/A.java"));
    Process launcher = start();

    assertThat(text(launcher).lines())
        .startsWith(BUILDING.subList(0, 3).toArray(String[]::new))
        .endsWith(
            "[ERROR] A.java: no such class",
            "mone-onnx: the build failed; %s has all that Maven printed"
                .formatted(home.toRealPath().resolve("target/build.log")));
    assertThat(launcher.exitValue()).isEqualTo(ExitCode.ENVIRONMENT);
  }

  @Test
  void buildsOnceWhereSeveralStart() throws Exception {
    buildsOnce();
  }

  @Test
  void buildsOnceWithoutFlock() throws Exception {
    Path few = Files.createDirectory(given.resolve("few"));
    for (String name : PROGRAMS) {
      Path all = Path.of("/bin", name);
      program(
          few.resolve(name),
          "#!/bin/sh\nexec %s \"$@\"\n"
              .formatted(Files.exists(all) ? all : Path.of("/usr/bin", name)));
    }
    path = few.toString();

    buildsOnce();
    assertThat(home.resolve("target/building.lock")).doesNotExist();
  }

  private void buildsOnce() throws IOException, InterruptedException {
    Path go = given.resolve("go");
    builds("until [ -f '%s' ]; do sleep 0.01; done".formatted(go));
    Files.delete(home.resolve("src/main/A.java"));
    Process first = start();
    while (builds().isEmpty()) {
      Thread.sleep(10);
    }
    Process second = start();
    assertThat(second.inputReader().readLine())
        .startsWith("waiting for another build of mone-onnx");
    Files.createFile(go);

    assertThat(text(first)).contains("\nstarted ");
    assertThat(second.inputReader().lines()).anyMatch(line -> line.startsWith("started "));
    assertThat(builds()).hasSize(1);
  }
}
