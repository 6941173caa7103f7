package io.moneonnx.plan;

import io.moneonnx.profile.Statistic;
import java.util.Locale;

/** What scores are divided by where those of different blocks are compared. */
public enum Normalisation {
  /** Nothing: raw scores. */
  NONE {
    @Override
    double of(Candidates.Block block) {
      return 1;
    }
  },
  /** The mean score of the block's experts that own weights, those never chosen left out. */
  BLOCK {
    @Override
    double of(Candidates.Block block) {
      return block.evidence().header().owners().stream()
          .mapToDouble(block.scores()::get)
          .filter(Double::isFinite)
          .average()
          .orElse(1);
    }
  },
  /** {@code Y2}, the sum of the squared norms of the block's output. */
  RESIDUAL {
    @Override
    double of(Candidates.Block block) {
      return block.evidence().sums().get(Statistic.Y2, 0);
    }
  };

  abstract double of(Candidates.Block block);

  /** Where everything is 0, dividing by it would say nothing: 1. */
  double unit(Candidates.Block block) {
    double unit = of(block);
    return unit > 0 ? unit : 1;
  }

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
