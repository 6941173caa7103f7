package io.moneonnx.plan.criterion;

/** The mean of the outputs' squared norms (arXiv 2606.15716). */
record MeanSquaredNorm() implements Criterion {
  @Override
  public String name() {
    return "msan";
  }

  @Override
  public double score(Expert expert) {
    return expert.a2() / expert.n();
  }
}
