package io.moneonnx.verify.golden;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * How an output {@code [sequences, heads, length, width]} is cut into rows, one for each position
 * of each sequence. What has no positions is cut along its leading axis where that leaves rows of
 * some size, or is one row.
 *
 * @param heads parts of a row that lie apart: 1 but in caches of keys and values
 * @param width elements of a part that lie side by side
 * @param perToken whether rows are positions
 */
record OutputRows(int sequences, int heads, int length, int width, boolean perToken) {
  /** Rows of fewer elements than this are not worth their figures. */
  private static final int LEAST = 16;

  /** Finds the axes of the sequences and positions by their sizes. */
  static OutputRows of(List<Long> dims, Optional<TokenGrid> grid) {
    return grid.flatMap(tokens -> perToken(dims, tokens)).orElseGet(() -> leading(dims));
  }

  private static Optional<OutputRows> perToken(List<Long> dims, TokenGrid grid) {
    int rank = dims.size();
    boolean areSequences = rank >= 2 && dims.get(0) == grid.sequences();
    if (areSequences && rank == 4 && dims.get(2) == grid.length()) {
      return Optional.of(positions(grid, dims.get(1), dims.get(3)));
    } else if (areSequences && dims.get(1) == grid.length()) {
      return Optional.of(positions(grid, 1, Tensor.elements(dims.subList(2, rank))));
    } else if (rank >= 1 && dims.get(0) == grid.tokens()) {
      return Optional.of(positions(grid, 1, Tensor.elements(dims.subList(1, rank))));
    }
    return Optional.empty();
  }

  private static OutputRows positions(TokenGrid grid, long heads, long width) {
    return new OutputRows(
        grid.sequences(), Math.toIntExact(heads), grid.length(), Math.toIntExact(width), true);
  }

  private static OutputRows leading(List<Long> dims) {
    int elements = Math.toIntExact(Tensor.elements(dims));
    int rows = dims.size() < 2 ? 1 : dims.get(0).intValue();
    return rows == 0 || elements / rows < LEAST
        ? new OutputRows(1, 1, 1, elements, false)
        : new OutputRows(1, 1, rows, elements / rows, false);
  }

  /** How many rows there are; none where there are no elements. */
  int count() {
    return size() == 0 ? 0 : sequences * length;
  }

  /** Elements of one row. */
  int size() {
    return heads * width;
  }

  /** Where an element of a row is in the output. */
  int index(int row, int element) {
    int sequence = row / length;
    int head = element / width;
    return ((sequence * heads + head) * length + row % length) * width + element % width;
  }
}
