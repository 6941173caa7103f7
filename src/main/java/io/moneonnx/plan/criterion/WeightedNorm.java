package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** The sum of the outputs' norms, each times its routing weight. */
record WeightedNorm() implements Criterion {
  @Override
  public String name() {
    return "weighted-ean";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.B1);
  }
}
