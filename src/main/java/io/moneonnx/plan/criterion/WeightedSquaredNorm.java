package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** The squared error of the block's output if the expert were dropped: {@code sum g^2 ||f||^2}. */
record WeightedSquaredNorm() implements Criterion {
  @Override
  public String name() {
    return "weighted-ean2";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.B2);
  }
}
