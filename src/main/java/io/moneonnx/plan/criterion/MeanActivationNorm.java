package io.moneonnx.plan.criterion;

/** The mean of the outputs' norms (arXiv 2606.15716). */
record MeanActivationNorm() implements Criterion {
  @Override
  public String name() {
    return "man";
  }

  @Override
  public double score(Expert expert) {
    return expert.a1() / expert.n();
  }
}
