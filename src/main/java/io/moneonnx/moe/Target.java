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

  /** Which of equal scores wins where one of ONNX Runtime's fused operators chooses by them. */
  public TieRule tieRule() {
    return this == CPU ? TieRule.HIGHER_ID : TieRule.LOWER_ID;
  }

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
