package io.moneonnx.plan.criterion;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Statistics;

/** What an expert is worth; the lowest score is pruned first. */
public interface Criterion {
  /** As it is written on a command line and in plans. */
  String name();

  /** The name, and what else one must know to get the same scores. */
  default String description() {
    return name();
  }

  /** The score of an expert that was chosen at least once. */
  double score(Expert expert);

  /** The scores of a block's experts, {@code [E]}; negative infinity for those never chosen. */
  default double[] scores(Statistics sums) {
    return Expert.of(sums).stream()
        .mapToDouble(expert -> expert.n() == 0 ? Double.NEGATIVE_INFINITY : score(expert))
        .toArray();
  }

  default double[] scores(BlockStatistics block) {
    return scores(block.all().sums());
  }
}
