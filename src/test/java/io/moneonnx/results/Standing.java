package io.moneonnx.results;

import io.moneonnx.eval.Scores;
import java.util.Comparator;
import java.util.List;

/**
 * Ways of pruning, the one that loses least first.
 *
 * @param entries sorted
 */
record Standing(List<Entry> entries) {
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
        .filter(entry -> entry.scores.above(first().scores).mayBeChance())
        .toList();
  }
}
