package io.moneonnx.plan.criterion;

import java.util.SplittableRandom;

/**
 * No worth at all, the baseline: the same for one seed, block and expert, whatever was measured.
 *
 * @param seed another one gives another order
 */
record RandomOrder(long seed) implements Criterion {
  @Override
  public String name() {
    return "random";
  }

  @Override
  public String description() {
    return name() + ", seed " + seed;
  }

  @Override
  public double score(Expert expert) {
    long block = new SplittableRandom(seed).nextLong() ^ expert.sums().header().name().hashCode();
    return new SplittableRandom(new SplittableRandom(block).nextLong() + expert.index())
        .nextDouble();
  }
}
