package io.moneonnx.results;

import io.moneonnx.eval.Estimate;
import io.moneonnx.eval.Scores;
import java.util.Comparator;
import java.util.List;

/**
 * Ways of pruning, the one that loses least first.
 *
 * @param entries sorted
 */
record Standing(List<Entry> entries) {
  /** A difference of less than so many of its standard errors may be chance. */
  private static final double ERRORS = 2;

  /** One of them. */
  record Entry(String name, Scores scores) {}

  static Standing of(List<Entry> entries) {
    return new Standing(
        entries.stream().sorted(Comparator.comparingDouble(entry -> entry.scores.loss())).toList());
  }

  Entry first() {
    return entries.get(0);
  }

  /** Those that lose more than the first by no more than chance would have it. */
  List<Entry> level() {
    return entries.stream()
        .skip(1)
        .filter(
            entry -> {
              Estimate above = entry.scores.above(first().scores);
              return above.mean() <= ERRORS * above.standardError();
            })
        .toList();
  }
}
