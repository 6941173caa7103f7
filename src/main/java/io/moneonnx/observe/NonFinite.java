package io.moneonnx.observe;

/** What is done where an expert puts out NaN or infinity for a token that counts. */
public enum NonFinite {
  /** The run ends with a message that says where. */
  STOP,
  /** The token is left out of all that is measured of the block, and counted. */
  SKIP
}
