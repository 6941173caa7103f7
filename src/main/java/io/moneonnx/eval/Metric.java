package io.moneonnx.eval;

import java.util.Locale;
import java.util.Set;

/** The figures of a task, by lm-evaluation-harness's names. */
public enum Metric {
  ACC,
  ACC_NORM;

  private static final Set<String> BY_LENGTH =
      Set.of("arc_challenge", "arc_easy", "openbookqa", "piqa");

  /**
   * What averages count of a task: {@code acc_norm} of those of which the paper (arXiv 2507.00390)
   * prints it, {@code acc} of all others.
   */
  static Metric of(String task) {
    return BY_LENGTH.contains(task) ? ACC_NORM : ACC;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
