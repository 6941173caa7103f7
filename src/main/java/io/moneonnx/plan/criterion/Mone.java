package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** MoNE as its authors' code has it: spread times the routing weight's mean over all tokens. */
record Mone() implements Criterion {
  @Override
  public String name() {
    return "mone";
  }

  @Override
  public double score(Expert expert) {
    return expert.spread() * expert.get(Statistic.G1) / expert.tokens();
  }
}
