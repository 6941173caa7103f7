package io.moneonnx.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A process that has ended.
 *
 * @param said standard output and error
 */
record ChildJvm(int code, String said) {
  /** The command line of a JVM with the classes of this one. */
  static List<String> command(List<String> options, Class<?> main, List<String> arguments) {
    Stream<String> java =
        Stream.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    return Stream.of(java, options.stream(), Stream.of(main.getName()), arguments.stream())
        .flatMap(words -> words)
        .toList();
  }

  static ChildJvm run(Path folder, List<String> command) throws IOException, InterruptedException {
    return run(new ProcessBuilder(command).directory(folder.toFile()));
  }

  static ChildJvm run(ProcessBuilder command) throws IOException, InterruptedException {
    Process child = command.redirectErrorStream(true).start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new ChildJvm(child.waitFor(), said);
  }
}
