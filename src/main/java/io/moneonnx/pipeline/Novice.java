package io.moneonnx.pipeline;

import io.moneonnx.profile.BlockStatistics;
import java.util.Locale;

/** What stands in for a replaced expert. */
public enum Novice {
  /** The expert's mean output. */
  MEAN {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      float[] novice = new float[block.hidden()];
      for (int i = 0; i < novice.length; i++) {
        novice[i] = (float) block.mean().get(expert * novice.length + i);
      }
      return novice;
    }
  },
  /** Nothing. */
  ZERO {
    @Override
    public float[] of(BlockStatistics block, int expert) {
      return new float[block.hidden()];
    }
  };

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The vector {@code [hidden]}; zero for an expert that was never chosen. */
  public abstract float[] of(BlockStatistics block, int expert);
}
