package io.moneonnx.cli;

/** A number as JSON has it, which knows none that is not finite. */
final class Finite {
  private Finite() {}

  /** The number, or null where it is infinite or not a number. */
  static Double orNull(double number) {
    return Double.isFinite(number) ? number : null;
  }
}
