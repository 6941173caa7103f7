package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** REAP: the mean of the outputs' norms, each times its routing weight. */
record Reap() implements Criterion {
  @Override
  public String name() {
    return "reap";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.B1) / expert.n();
  }
}
