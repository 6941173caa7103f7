package io.moneonnx.moe;

import java.util.List;

/** What a form says of a routing decision. */
public sealed interface Recognition {
  /**
   * This form lays the block out, and all of it was found.
   *
   * @param warnings what the user should know of it, a sentence each
   */
  record Recognised(Claim claim, List<String> warnings) implements Recognition {
    public Recognised {
      warnings = List.copyOf(warnings);
    }

    public Recognised(Claim claim) {
      this(claim, List.of());
    }
  }

  /** Another form, or no MoE block at all. {@code nearest} is the closest this form came. */
  record NotThisForm(String nearest) implements Recognition {}

  /** This form, but not proved complete. */
  record Refused(String reason) implements Recognition {}
}
