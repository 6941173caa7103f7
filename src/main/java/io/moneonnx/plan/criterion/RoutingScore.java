package io.moneonnx.plan.criterion;

/** The sum of the coefficients, MoNE's baseline RS. */
record RoutingScore() implements Criterion {
  @Override
  public String name() {
    return "routing-score";
  }

  @Override
  public double score(Expert expert) {
    return expert.g1();
  }
}
