package io.moneonnx.moe;

/** What a form says of a routing decision. */
public sealed interface Recognition {
  /** This form lays the block out, and all of it was found. */
  record Recognised(Claim claim) implements Recognition {}

  /** Another form, or no MoE block at all. {@code nearest} is the closest this form came. */
  record NotThisForm(String nearest) implements Recognition {}

  /** This form, but not proved complete. */
  record Refused(String reason) implements Recognition {}
}
