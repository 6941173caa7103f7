package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** The mean routing weight when chosen. */
record MeanGate() implements Criterion {
  @Override
  public String name() {
    return "mean-gate";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.G1) / expert.n();
  }
}
