package io.moneonnx.bench;

import static io.moneonnx.pipeline.BenchFigures.median;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs commands in turn, round by round, and prints the medians of their wall times, how they
 * compare with the first command, and the most memory that each had in use: {@code TimedCommands
 * ROUNDS PREPARE [NAME COMMAND]...}. Commands are for {@code sh}; before each, {@code PREPARE} is
 * run and not timed. Peak memory is what Linux tells in {@code /proc}.
 */
final class TimedCommands {
  private static final long POLL_MILLIS = 5;

  private final String prepare;

  private TimedCommands(String prepare) {
    this.prepare = prepare;
  }

  /**
   * One run.
   *
   * @param peak resident bytes; 0 where there is no {@code /proc}
   */
  private record Run(double seconds, long peak) {}

  public static void main(String... args) throws IOException, InterruptedException {
    Map<String, String> commands = new LinkedHashMap<>();
    for (int i = 2; i < args.length; i += 2) {
      commands.put(args[i], args[i + 1]);
    }
    print(new TimedCommands(args[1]).rounds(Integer.parseInt(args[0]), commands));
  }

  private Map<String, List<Run>> rounds(int rounds, Map<String, String> commands)
      throws IOException, InterruptedException {
    Map<String, List<Run>> runs = new LinkedHashMap<>();
    for (int round = 0; round < rounds; round++) {
      for (Map.Entry<String, String> command : commands.entrySet()) {
        run(prepare);
        runs.computeIfAbsent(command.getKey(), name -> new ArrayList<>())
            .add(run("exec " + command.getValue()));
      }
    }
    return runs;
  }

  private static Run run(String command) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder("sh", "-c", command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long peak = 0;
    while (process.isAlive()) {
      peak = Math.max(peak, peak(process.pid()));
      Thread.sleep(POLL_MILLIS);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (process.waitFor() != 0) {
      throw new IllegalStateException(command + ": exit code " + process.exitValue());
    }
    return new Run(seconds, peak);
  }

  private static long peak(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  private static void print(Map<String, List<Run>> runs) {
    double first = seconds(runs.values().iterator().next());
    System.out.printf("%-24s %8s %8s %10s%n", "command", "seconds", "ratio", "peak MB");
    runs.forEach(
        (name, all) ->
            System.out.printf(
                "%-24s %8.2f %8.2f %10d%n",
                name,
                seconds(all),
                seconds(all) / first,
                all.stream().mapToLong(Run::peak).max().orElseThrow() >> 20));
  }

  private static double seconds(List<Run> runs) {
    return median(runs.stream().map(Run::seconds).toList());
  }
}
