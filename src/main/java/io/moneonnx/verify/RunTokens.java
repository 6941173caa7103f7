package io.moneonnx.verify;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * The tokens of one run, and what of a tensor is about those that count. Where a mask hides none,
 * everything counts.
 */
record RunTokens(UnmaskedTokens shown) {
  /**
   * A tensor seen as rows.
   *
   * @param width numbers in a row: all that belong to one token, or the last axis
   * @param counts says of a row whether its token does
   */
  record Layout(int width, IntPredicate counts) {}

  /**
   * Finds the axis of tokens: the second one, of rank 4 (keys, values, attention) the third, or the
   * first where sequences are joined. All of a tensor counts that has no such axis.
   */
  Layout layout(List<Long> dims) {
    int last = dims.isEmpty() ? 1 : dims.get(dims.size() - 1).intValue();
    if (shown.areAll() || dims.isEmpty()) {
      return new Layout(last, row -> true);
    }
    int axis = dims.size() == 4 ? 2 : 1;
    if (dims.get(0) == (long) shown.sequences() * shown.length()) {
      return new Layout(width(dims, 1), this::isShown);
    } else if (dims.size() > axis && dims.get(0) == shown.sequences()) {
      int tokens = dims.get(axis).intValue();
      int rows = width(dims.subList(0, axis + 1), 1); // of one sequence
      int past = tokens - shown.length();
      if (past == 0 || (past > 0 && axis == 2)) {
        return new Layout(width(dims, axis + 1), row -> isShown(row / rows, row % tokens - past));
      }
    }
    return new Layout(last, row -> true);
  }

  private static int width(List<Long> dims, int from) {
    return (int) dims.stream().skip(from).mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
  }

  /**
   * How far a value is in the pruned model, in what counts.
   *
   * @param name what messages call it
   * @throws BadInputException if it has another shape or type there
   */
  Distance distance(String name, Tensor expected, Tensor found) {
    if (!expected.dims().equals(found.dims()) || expected.type() != found.type()) {
      throw new BadInputException(
          "%s is %s%s in a run of the original, %s%s in the pruned model"
              .formatted(
                  name,
                  expected.type().text(),
                  expected.dims(),
                  found.type().text(),
                  found.dims()));
    }
    Layout layout = layout(expected.dims());
    FloatRows right = new FloatRows(expected, layout.width());
    FloatRows other = new FloatRows(found, layout.width());
    Distance[] distances =
        IntStream.range(0, right.count())
            .parallel()
            .filter(layout.counts())
            .mapToObj(row -> Distance.of(right.row(row), other.row(row)))
            .toArray(Distance[]::new);
    // One after another: the same order, whatever the number of threads.
    return Arrays.stream(distances).reduce(Distance.NONE, Distance::plus);
  }

  /** Tokens are counted over all sequences. */
  boolean isShown(int token) {
    return shown.areAll() || isShown(token / shown.length(), token % shown.length());
  }

  /** What lies in the past is shown. */
  private boolean isShown(int sequence, int token) {
    return token < 0 || shown.isShown(sequence, token);
  }
}
