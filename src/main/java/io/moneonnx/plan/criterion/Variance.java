package io.moneonnx.plan.criterion;

/** Spread alone, MoNE's ablation: the square root of the summed variance. */
record Variance() implements Criterion {
  @Override
  public String name() {
    return "variance";
  }

  @Override
  public double score(Expert expert) {
    return expert.spread();
  }
}
