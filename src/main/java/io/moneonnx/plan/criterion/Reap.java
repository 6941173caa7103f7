package io.moneonnx.plan.criterion;

/** REAP: the mean of the outputs' norms, each times its coefficient. */
record Reap() implements Criterion {
  @Override
  public String name() {
    return "reap";
  }

  @Override
  public double score(Expert expert) {
    return expert.b1() / expert.n();
  }
}
