package io.moneonnx.verify;

/**
 * Routed calls: a token that goes to so many experts makes as many.
 *
 * @param made how many there were
 * @param met how many of them chose an expert that is gone
 */
public record Calls(long made, long met) {
  Calls plus(Calls other) {
    return new Calls(made + other.made, met + other.met);
  }

  /** The share that chose an expert that is gone; 0 of none. */
  public double share() {
    return made == 0 ? 0 : (double) met / made;
  }
}
