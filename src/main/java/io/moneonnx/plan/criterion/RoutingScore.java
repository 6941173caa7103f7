package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** The sum of the routing weights, MoNE's baseline RS. */
record RoutingScore() implements Criterion {
  @Override
  public String name() {
    return "routing-score";
  }

  @Override
  public double score(Expert expert) {
    return expert.get(Statistic.G1);
  }
}
