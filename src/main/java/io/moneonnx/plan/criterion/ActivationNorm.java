package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** Expert activation norm: the sum of the outputs' norms. */
record ActivationNorm() implements Criterion {
  @Override
  public String name() {
    return "ean";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.A1);
  }
}
