package io.moneonnx.cli;

import java.util.Locale;

/** The scopes as they are written on a command line. */
enum ScopeName {
  LAYER,
  MODEL;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
