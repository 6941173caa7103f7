package io.moneonnx.plan.criterion;

/** MoNE as its paper prints it (arXiv 2507.00390): the mean coefficient is that when chosen. */
record MonePaper() implements Criterion {
  @Override
  public String name() {
    return "mone-paper";
  }

  @Override
  public double score(Expert expert) {
    return expert.spread() * expert.g1() / expert.n();
  }
}
