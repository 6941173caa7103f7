package io.moneonnx.moe;

import java.util.Locale;

/**
 * The execution provider that a graph is read for: the same fused operator routes differently on
 * different ones.
 */
public enum Target {
  CPU,
  CUDA,
  TENSORRT;

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
