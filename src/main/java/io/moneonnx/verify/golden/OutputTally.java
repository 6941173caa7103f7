package io.moneonnx.verify.golden;

import io.moneonnx.graph.Tensor;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.OutputCheck;
import io.moneonnx.verify.golden.GoldenReport.Place;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Holds one output against what was recorded of it, run by run. */
final class OutputTally {
  private final String name;
  private final double relative;
  private final double absolute;
  private long rows;
  private long leftOut;
  private long moved;
  private double worst;
  private Optional<Deviation> failure = Optional.empty();

  OutputTally(Golden.Output output, Tolerance tolerance) {
    this.name = output.name();
    this.relative = tolerance.relative(output);
    this.absolute = tolerance.atol();
  }

  void add(Sketch recorded, Tensor found, ComparablePositions run) {
    if (found.type() != recorded.type() || !found.dims().equals(recorded.dims())) {
      fail(
          "is %s%s, recorded %s, for %s"
              .formatted(found.type().text(), found.dims(), recorded.signature(), run.samples()));
    } else if (recorded instanceof Sketch.Exact exact) {
      add(exact, found, run);
    } else if (recorded instanceof Sketch.Floating floating) {
      add(floating.rows(), found, OutputRows.of(found.dims(), run.grid()), run);
    }
  }

  private void fail(String text) {
    failure = failure.or(() -> Optional.of(new Deviation.Unlike(text)));
  }

  private void add(Sketch.Exact recorded, Tensor found, ComparablePositions run) {
    if (!run.areAll()) {
      leftOut++;
      return;
    }
    rows++;
    if (!Sketch.Exact.of(found).equals(recorded)) {
      moved++;
      worst = Double.POSITIVE_INFINITY;
      fail("has other elements than recorded, for " + run.samples());
    }
  }

  private void add(
      List<RowSketch> recorded, Tensor output, OutputRows cut, ComparablePositions run) {
    RowReader found = new RowReader(output, cut);
    double least = overall(recorded, cut, run) / Math.sqrt(cut.size());
    for (int row = 0; row < recorded.size(); row++) {
      if (run.counts(cut, row) && run.isBefore(cut, row)) {
        RowSketch right = recorded.get(row);
        double allowed = absolute + relative * Math.max(right.rms(), least);
        rows++;
        moved +=
            isMoved(right, found.read(row, right.largestAt()), allowed, run.at(cut, row)) ? 1 : 0;
      } else if (run.counts(cut, row)) {
        leftOut++;
      }
    }
  }

  /** The rms of all rows that count. */
  private static double overall(List<RowSketch> recorded, OutputRows cut, ComparablePositions run) {
    return Math.sqrt(
        IntStream.range(0, recorded.size())
            .filter(row -> run.counts(cut, row))
            .mapToDouble(row -> recorded.get(row).rms())
            .map(rms -> rms * rms)
            .average()
            .orElse(0));
  }

  private boolean isMoved(RowSketch right, RowSketch found, double allowed, Place place) {
    if (right.notFinite() != found.notFinite()) {
      worst = Double.POSITIVE_INFINITY;
      fail("has NaN or infinity other than recorded at " + place.text());
      return true;
    }
    boolean isMoved = false;
    for (Figure figure : Figure.values()) {
      double error = Math.abs((double) found.value(figure) - right.value(figure));
      worst = Math.max(worst, error == 0 ? 0 : error / allowed);
      if (error > allowed) {
        isMoved = true;
        failure =
            failure.or(
                () ->
                    Optional.of(
                        new Deviation.Moved(
                            place, figure, right.value(figure), found.value(figure), allowed)));
      }
    }
    return isMoved;
  }

  OutputCheck check() {
    if (rows == 0 && leftOut > 0) {
      fail("could not be compared: all of it stands behind a choice of other experts");
    }
    return new OutputCheck(name, relative, rows, moved, worst, failure);
  }
}
