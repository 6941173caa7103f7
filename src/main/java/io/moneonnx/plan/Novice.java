package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import java.util.Locale;

/** What stands in for a replaced expert. */
public enum Novice {
  /** The expert's mean output. */
  MEAN {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      return row(block.mean(), expert, block.hidden());
    }

    @Override
    public double residual(BlockStatistics block, int expert) {
      double apart = 0;
      for (int i = expert * block.hidden(); i < (expert + 1) * block.hidden(); i++) {
        double d = block.mean().get(i) - block.gmean().get(i);
        apart += d * d;
      }
      return block.r2().get(expert) + block.g2().get(expert) * apart;
    }
  },
  /**
   * The mean weighted by the square of the coefficient: of all constants the one that leaves the
   * least squared error in the block's output. Where every coefficient was 0, the mean.
   */
  GATE2 {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      return block.hasGatedMean(expert)
          ? row(block.gmean(), expert, block.hidden())
          : MEAN.of(block, expert);
    }

    @Override
    public double residual(BlockStatistics block, int expert) {
      return block.r2().get(expert);
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
      return block.b2().get(expert);
    }
  };

  private static float[] row(Doubles matrix, int row, int width) {
    float[] values = new float[width];
    for (int i = 0; i < width; i++) {
      values[i] = (float) matrix.get(row * width + i);
    }
    return values;
  }

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The vector {@code [hidden]}; zero for an expert that was never chosen. */
  public abstract float[] of(BlockStatistics block, int expert);

  /**
   * The squared error of the block's routed output, summed over all tokens, when this stands in for
   * the expert; what it has in common with the errors of other experts is left out.
   */
  public abstract double residual(BlockStatistics block, int expert);
}
