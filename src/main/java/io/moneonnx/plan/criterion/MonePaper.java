package io.moneonnx.plan.criterion;

import io.moneonnx.profile.Statistic;

/** MoNE as its paper prints it (arXiv 2507.00390): the mean routing weight is that when chosen. */
record MonePaper() implements Criterion {
  @Override
  public String name() {
    return "mone-paper";
  }

  @Override
  public double score(Expert expert) {
    return expert.spread() * expert.get(Statistic.G1) / expert.n();
  }
}
