package io.moneonnx.results;

import io.moneonnx.eval.Scores;
import io.moneonnx.plan.criterion.Criteria;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All cells of one model.
 *
 * @param unpruned what the model loses as it is
 * @param seconds that all of it took
 */
record Grid(
    String model,
    Scores unpruned,
    Reference reference,
    List<Measurement> measurements,
    double seconds) {
  static final List<String> RATIOS = List.of("0.25", "0.5");
  private static final List<String> TREATMENTS = List.of("mean", "gate2", "zero", Cell.CUT);

  static Grid of(Path folder) {
    long start = System.nanoTime();
    try (TrainedModel model = new TrainedModel(folder, "loop")) {
      String name = folder.getFileName().toString();
      Reference reference = Reference.read(folder.resolve("results.csv"));
      Scores unpruned = model.unpruned();
      List<Measurement> measurements = new ArrayList<>();
      for (Cell cell : cells(reference)) {
        Scores scores = model.scores(cell);
        measurements.add(
            new Measurement(
                name,
                cell,
                scores.loss(),
                scores.accuracy(),
                scores.tests().get("A").above(unpruned.tests().get("A")),
                scores.tests().get("B").above(unpruned.tests().get("B")),
                scores.above(unpruned),
                scores.above(model.scores(cell.ordinary())),
                Optional.ofNullable(reference.cells().get(cell))));
      }
      return new Grid(name, unpruned, reference, measurements, (System.nanoTime() - start) / 1e9);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those of the reference, and every criterion on half A, half B, 128k tokens. */
  private static Set<Cell> cells(Reference reference) {
    Set<Cell> cells = new LinkedHashSet<>();
    for (String ratio : RATIOS) {
      for (String criterion : Criteria.names()) {
        for (long seed : criterion.equals("random") ? List.of(1L, 2L, 3L) : List.of(0L)) {
          for (String treatment : TREATMENTS) {
            cells.add(new Cell("AB", "128k", criterion, treatment, "layer", ratio, seed));
          }
        }
        if (!criterion.equals("random")) {
          cells.add(new Cell("AB", "128k", criterion, "mean", "model", ratio, 0));
          cells.add(new Cell("AB", "128k", criterion, "gate2", "model", ratio, 0));
        }
      }
    }
    cells.addAll(reference.cells().keySet());
    return cells;
  }
}
