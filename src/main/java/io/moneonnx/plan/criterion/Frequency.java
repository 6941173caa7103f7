package io.moneonnx.plan.criterion;

/** How many tokens chose the expert. */
record Frequency() implements Criterion {
  @Override
  public String name() {
    return "frequency";
  }

  @Override
  public double score(Expert expert) {
    return expert.n();
  }
}
