package io.moneonnx.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;

/**
 * Runs commands in a process of their own, whose calls that change files below a folder are counted
 * by {@code src/test/c/kill.c}: it is killed at one of them, or one fails.
 *
 * @param own a folder for what is made
 */
record FileCalls(Path own) {
  static final int KILLED = 128 + 9;

  private static final Path SOURCE = Path.of("src", "test", "c", "kill.c");
  private static final String CALL = "CALL ";
  private static final int DEFECTIVE_DISK = 5;
  private static final int FULL_DISK = 28;

  /**
   * A command that ended.
   *
   * @param calls by which it changed files, in order: a name and paths
   * @param err what it said on standard error
   */
  record Ended(int code, List<String> calls, String err) {}

  /** Compiles what counts, and keeps classes so that processes start sooner. */
  static FileCalls prepare(Path own) throws IOException, InterruptedException {
    FileCalls calls = new FileCalls(own);
    assumeThat(System.getProperty("os.name")).as("where calls are counted").isEqualTo("Linux");
    assumeThat(calls.compiles()).as("a C compiler and glibc").isTrue();
    calls.keepClasses();
    return calls;
  }

  private boolean compiles() throws InterruptedException {
    List<String> compiler = List.of("cc", "-O1", "-shared", "-fPIC", "-o", library().toString());
    List<String> command = new ArrayList<>(compiler);
    command.addAll(List.of(SOURCE.toString(), "-ldl"));
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  /** The JVM keeps classes of jars only. */
  private void keepClasses() throws IOException, InterruptedException {
    ToolProvider jar = ToolProvider.findFirst("jar").orElseThrow();
    String main = Path.of("target", "classes").toString();
    assertThat(jar.run(System.out, System.err, "cf", jar().toString(), "-C", main, ".")).isZero();
    Path folder = Files.createDirectory(own.resolve("first"));
    List<String> command = java(folder, "-XX:ArchiveClassesAtExit=" + archive(), "-Xlog:cds=off");
    command.addAll(List.of("inspect", Cli.OLMOE.toAbsolutePath().toString()));
    new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  private Path library() {
    return own.resolve("kill.so");
  }

  private Path jar() {
    return own.resolve("classes.jar");
  }

  private Path archive() {
    return own.resolve("classes.jsa");
  }

  /** How the program is started with its temporary files in a folder. */
  List<String> java(Path temporary, String... options) {
    String classes =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> jars = new ArrayList<>(List.of(jar().toString()));
    for (String path : classes.split(File.pathSeparator, -1)) {
      if (path.endsWith(".jar")) {
        jars.add(path);
      }
    }
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Djava.io.tmpdir=" + temporary));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", String.join(File.pathSeparator, jars), Main.class.getName()));
    return command;
  }

  /** Runs a command to its end. */
  Ended run(Path folder, List<String> arguments) throws IOException, InterruptedException {
    return run(folder, arguments, Map.of());
  }

  /** Kills it at a call, from 1; of a write, half is done. */
  Ended kill(Path folder, List<String> arguments, int call)
      throws IOException, InterruptedException {
    return run(folder, arguments, Map.of("KILL_AT", Integer.toString(call)));
  }

  /** Lets a call fail, by turns because the disk is full or defective. */
  Ended fail(Path folder, List<String> arguments, int call)
      throws IOException, InterruptedException {
    int error = call % 2 == 0 ? FULL_DISK : DEFECTIVE_DISK;
    return run(
        folder,
        arguments,
        Map.of("FAIL_AT", Integer.toString(call), "FAIL_WITH", Integer.toString(error)));
  }

  private Ended run(Path folder, List<String> arguments, Map<String, String> wanted)
      throws IOException, InterruptedException {
    List<String> command =
        java(folder.resolve("tmp"), "-XX:SharedArchiveFile=" + archive(), "-Xlog:cds=off");
    command.addAll(arguments);
    Path out = own.resolve("out");
    Path err = own.resolve("err");
    ProcessBuilder process =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    process.environment().put("LD_PRELOAD", library().toString());
    process.environment().put("KILL_UNDER", folder.toRealPath().toString());
    process.environment().put("KILL_TRACE", "1");
    process.environment().putAll(wanted);
    Process started = process.start();
    started.getOutputStream().close();
    assertThat(started.waitFor(5, TimeUnit.MINUTES)).as("%s ends", arguments).isTrue();
    Pattern shown = Pattern.compile(Pattern.quote(folder.toRealPath().toString()) + "(/|(?= ))");
    List<String> calls =
        Files.readAllLines(out).stream()
            .filter(line -> line.startsWith(CALL))
            .map(line -> shown.matcher(line.substring(CALL.length())).replaceAll(""))
            .toList();
    return new Ended(started.exitValue(), calls, Files.readString(err));
  }
}
