package io.moneonnx.plan.criterion;

/** The mean coefficient when chosen. */
record MeanGate() implements Criterion {
  @Override
  public String name() {
    return "mean-gate";
  }

  @Override
  public double score(Expert expert) {
    return expert.g1() / expert.n();
  }
}
