package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** The mean of the outputs' norms (arXiv 2606.15716). */
record MeanActivationNorm() implements Criterion {
  @Override
  public String name() {
    return "man";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.A1) / expert.n();
  }
}
