package io.moneonnx.bench;

import static io.moneonnx.pipeline.BenchFigures.median;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;

/**
 * How long {@code rewrite} takes for the graph alone, by the number of its nodes: the blocks of a
 * loop that was unrolled, 64 experts each, with next to no weights. Whole processes, in turn;
 * medians count. {@code CompileTime LAUNCHER FOLDER}.
 */
final class CompileTime {
  private static final List<Integer> BLOCKS = List.of(4, 8, 16, 32);
  private static final int ROUNDS = 7;

  private final Path launcher;
  private final Path folder;

  private CompileTime(Path launcher, Path folder) {
    this.launcher = launcher;
    this.folder = folder;
  }

  public static void main(String... args) throws IOException, InterruptedException {
    new CompileTime(Path.of(args[0]), Path.of(args[1])).measure();
  }

  private void measure() throws IOException, InterruptedException {
    for (int blocks : BLOCKS) {
      make(blocks);
    }
    List<List<Double>> seconds = BLOCKS.stream().<List<Double>>map(b -> new ArrayList<>()).toList();
    for (int round = 0; round < ROUNDS; round++) {
      for (int size = 0; size < BLOCKS.size(); size++) {
        seconds.get(size).add(rewrite(BLOCKS.get(size)));
      }
    }
    System.out.println("blocks   nodes  seconds  to the size before");
    for (int size = 0; size < BLOCKS.size(); size++) {
      double median = median(seconds.get(size));
      String ratio = size == 0 ? "" : "%.2f".formatted(median / median(seconds.get(size - 1)));
      System.out.printf(
          Locale.ROOT, "%6d  %,6d  %7.2f  %s%n", BLOCKS.get(size), nodes(size), median, ratio);
    }
  }

  private void make(int blocks) throws IOException, InterruptedException {
    String sizes = "--blocks %d --experts 64 --top-k 8 --hidden 32 --inner 16".formatted(blocks);
    List<String> words = new ArrayList<>(List.of("sparse-loop", model(blocks)));
    words.addAll(Arrays.asList(sizes.split(" ")));
    new CommandLine(new MadeModel()).execute(words.toArray(String[]::new));
    MadeProfile.main(model(blocks), profile(blocks));
    run("plan", profile(blocks), "--ratio", "0.5", "-o", plan(blocks));
  }

  private int nodes(int size) {
    return io.moneonnx.io.OnnxReader.read(Path.of(model(BLOCKS.get(size)))).graph().nodes().size();
  }

  private double rewrite(int blocks) throws IOException, InterruptedException {
    long start = System.nanoTime();
    run(
        "rewrite",
        model(blocks),
        "--profile",
        profile(blocks),
        "--plan",
        plan(blocks),
        "--no-verify",
        "--force",
        "-o",
        Files.createDirectories(folder.resolve("out")).resolve("out.onnx").toString());
    return (System.nanoTime() - start) / 1e9;
  }

  private void run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(Arrays.asList(arguments));
    Path log = folder.resolve("log");
    int code =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    if (code != 0) {
      throw new IllegalStateException(
          command + " ended with " + code + ": " + Files.readString(log));
    }
  }

  private String model(int blocks) {
    return folder.resolve(blocks + ".onnx").toString();
  }

  private String profile(int blocks) {
    return folder.resolve(blocks + ".mone").toString();
  }

  private String plan(int blocks) {
    return folder.resolve(blocks + ".json").toString();
  }
}
