package io.moneonnx.results;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Measures every way of pruning on every trained model of a folder, and writes {@code
 * docs/results.md} with all numbers in {@code docs/results.tsv}.
 */
final class Results {
  private Results() {}

  /** Takes the folder from the system property {@code trained}. */
  public static void main(String... args) throws IOException {
    Path trained = Path.of(System.getProperty("trained"));
    long start = System.nanoTime();
    List<Grid> grids = models(trained).parallelStream().map(Grid::of).toList();
    double seconds = (System.nanoTime() - start) / 1e9;
    List<String> lines = new ArrayList<>(List.of(Measurement.head()));
    for (Grid grid : grids) {
      grid.measurements().forEach(measurement -> lines.add(measurement.line()));
    }
    Path docs = Files.createDirectories(Path.of("docs"));
    Files.write(docs.resolve("results.tsv"), lines);
    Files.writeString(docs.resolve("results.md"), new ResultsPage(grids, seconds).text());
  }

  private static List<Path> models(Path trained) throws IOException {
    try (Stream<Path> folders = Files.list(trained)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("results.csv")))
          .sorted()
          .toList();
    }
  }
}
