package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/**
 * The squared error that stays in the block's output when the best constant stands in, cross terms
 * between experts ignored.
 */
record Residual() implements Criterion {
  @Override
  public String name() {
    return "residual";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.R2);
  }
}
