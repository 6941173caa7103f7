package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Statistic;
import java.util.Locale;

/** What stands in for a replaced expert. */
public enum Novice {
  /** The expert's mean output. */
  MEAN {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      return row(block, Statistic.MEAN, expert);
    }

    @Override
    public double residual(BlockStatistics block, int expert) {
      if (!block.all().defines(Statistic.GMEAN, expert)) {
        return 0;
      }
      double apart = 0;
      for (int i = expert * block.hidden(); i < (expert + 1) * block.hidden(); i++) {
        double d = block.get(Statistic.MEAN, i) - block.get(Statistic.GMEAN, i);
        apart += d * d;
      }
      return block.get(Statistic.R2, expert) + block.get(Statistic.G2, expert) * apart;
    }
  },
  /**
   * The mean weighted by the square of the routing weight: of all constants the one that leaves the
   * least squared error in the block's output. Where every routing weight was 0, the mean.
   */
  GATE2 {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      return block.all().defines(Statistic.GMEAN, expert)
          ? row(block, Statistic.GMEAN, expert)
          : MEAN.of(block, expert);
    }

    @Override
    public double residual(BlockStatistics block, int expert) {
      return block.all().orZero(Statistic.R2, expert);
    }
  },
  /** Nothing. */
  ZERO {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      return new float[block.hidden()];
    }

    @Override
    public double residual(BlockStatistics block, int expert) {
      return block.get(Statistic.B2, expert);
    }
  };

  private static float[] row(BlockStatistics block, Statistic mean, int expert) {
    float[] values = new float[block.hidden()];
    if (block.all().defines(mean, expert)) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) block.get(mean, expert * values.length + i);
      }
    }
    return values;
  }

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What a file may hold for one, in four bytes an element: nothing where all are zero. */
  long bytes(int hidden) {
    return this == ZERO ? 0 : (long) Float.BYTES * hidden;
  }

  /** The vector {@code [hidden]}; zero for an expert that was never chosen. */
  public abstract float[] of(BlockStatistics block, int expert);

  /**
   * The squared error of the block's routed output, summed over all tokens, when this stands in for
   * the expert; what it has in common with the errors of other experts is left out.
   */
  public abstract double residual(BlockStatistics block, int expert);
}
