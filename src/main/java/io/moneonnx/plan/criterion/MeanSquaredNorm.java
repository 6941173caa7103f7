package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** The mean of the outputs' squared norms (arXiv 2606.15716). */
record MeanSquaredNorm() implements Criterion {
  @Override
  public String name() {
    return "msan";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.A2) / expert.n();
  }
}
