package io.moneonnx.cli;

import java.util.Locale;

/** What experts lose, as it is written on a command line. */
enum MethodName {
  /** Whole experts go, and novices stand in for them. */
  NOVICE,
  /** All experts lose neurons. */
  NARROW;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
