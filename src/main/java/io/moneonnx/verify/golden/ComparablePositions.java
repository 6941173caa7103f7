package io.moneonnx.verify.golden;

import io.moneonnx.data.Batch;
import java.util.List;
import java.util.Optional;

/**
 * What of one run can be compared: of each sequence the positions before its first flip.
 *
 * @param run counted from 0
 * @param grid its sequences and positions, if it has such
 * @param same by sequence how many positions choose as recorded
 */
record ComparablePositions(int run, Batch fed, Optional<TokenGrid> grid, List<Integer> same) {
  ComparablePositions {
    same = List.copyOf(same);
  }

  /** True if no choice is another. */
  boolean areAll() {
    return grid.isEmpty() || leftOut() == 0;
  }

  /** Positions behind a flip, hidden ones excluded. */
  long leftOut() {
    long left = 0;
    for (int token = 0; token < grid.map(TokenGrid::tokens).orElse(0); token++) {
      left += isBehind(token) && grid.orElseThrow().isShown(token) ? 1 : 0;
    }
    return left;
  }

  private boolean isBehind(int token) {
    int length = grid.orElseThrow().length();
    return token % length >= same.get(token / length);
  }

  /** True for a row that is not hidden. */
  boolean counts(OutputRows rows, int row) {
    return !rows.perToken() || grid.orElseThrow().isShown(row);
  }

  /** True for a row before any flip; where rows are no positions, no flip may be in the run. */
  boolean isBefore(OutputRows rows, int row) {
    return rows.perToken() ? !isBehind(row) : areAll();
  }

  /** Where a row is. */
  GoldenReport.Place at(OutputRows rows, int row) {
    return new GoldenReport.Place(run, row, fed.place(row, rows.count()));
  }

  /** What was fed, for messages. */
  String samples() {
    return fed.samples().isEmpty() ? "run %d".formatted(run) : String.join(", ", fed.samples());
  }
}
