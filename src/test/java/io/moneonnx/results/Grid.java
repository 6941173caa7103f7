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

  /** Criteria that do well with scope model, to be tried with other novices there. */
  private static final List<String> STEADY =
      List.of("mone", "ean", "weighted-ean2", "reap", "residual");

  static Grid of(Path folder) {
    long start = System.nanoTime();
    try (TrainedModel model = new TrainedModel(folder, "loop")) {
      String name = folder.getFileName().toString();
      Reference reference = Reference.read(folder.resolve("results.csv"));
      Scores unpruned = model.unpruned();
      List<Measurement> measurements = new ArrayList<>();
      for (Cell cell : cells(reference)) {
        measurements.add(
            new Measurement(
                name,
                cell,
                model.scores(cell),
                unpruned,
                model.scores(cell.ordinary()),
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
        if (criterion.equals("random")) {
          List.of(1L, 2L, 3L)
              .forEach(seed -> cells.add(cell(criterion, "mean", "layer", ratio, seed)));
        } else {
          TREATMENTS.forEach(treatment -> cells.add(cell(criterion, treatment, "layer", ratio, 0)));
          cells.add(cell(criterion, "mean", "model", ratio, 0));
        }
      }
      STEADY.forEach(criterion -> cells.add(cell(criterion, "gate2", "model", ratio, 0)));
    }
    cells.addAll(reference.cells().keySet());
    return cells;
  }

  private static Cell cell(
      String criterion, String treatment, String scope, String ratio, long seed) {
    return new Cell("AB", "128k", criterion, treatment, scope, ratio, seed);
  }

  Optional<Measurement> find(Cell cell) {
    return measurements.stream().filter(measured -> measured.cell().equals(cell)).findFirst();
  }
}
