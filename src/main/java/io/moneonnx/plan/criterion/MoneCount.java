package io.moneonnx.plan.criterion;

/** MoNE with access frequency read as the share of tokens. */
record MoneCount() implements Criterion {
  @Override
  public String name() {
    return "mone-count";
  }

  @Override
  public double score(Expert expert) {
    return expert.spread() * expert.n() / expert.tokens();
  }
}
