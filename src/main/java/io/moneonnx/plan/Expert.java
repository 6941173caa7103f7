package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;

/**
 * One expert's numbers as a criterion reads them; counted at least once.
 *
 * @param spread {@code sqrt(V)}; for an expert seen once, the block's largest: an unknown spread is
 *     not a low one
 */
record Expert(BlockStatistics block, int index, double spread) {
  /** Tokens that reached the block. */
  double tokens() {
    return block.t();
  }

  double n() {
    return block.n().get(index);
  }

  double g1() {
    return block.g1().get(index);
  }

  double b1() {
    return block.b1().get(index);
  }

  double r2() {
    return block.r2().get(index);
  }
}
