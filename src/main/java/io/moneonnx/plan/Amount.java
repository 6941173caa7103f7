package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;

/** How many experts are to go. */
public sealed interface Amount permits Ratio, PruneCount, TargetSize, Thresholds {
  /**
   * Chooses exactly so many.
   *
   * @throws BadInputException if so many cannot go; says what can
   */
  Selection from(Candidates candidates, Scope scope);

  /**
   * Checks what can be known before anything is measured.
   *
   * @throws BadInputException if so many cannot go; says what can
   */
  default void check(Candidates unmeasured, Scope scope) {
    from(unmeasured, scope);
  }

  /**
   * Bytes that experts may have which lose neurons.
   *
   * @param modelBytes bytes of the model's files
   * @param expertBytes those of these experts at full width
   * @param overhead what the written model may have beside weights
   * @throws BadInputException if this counts experts, not bytes, or cannot be had
   */
  default long budget(long modelBytes, long expertBytes, long overhead) {
    throw new BadInputException(
        this + " counts experts, and method narrow spends bytes: give --ratio or --target-size");
  }

  /** As it is asked for on a command line, without dashes. */
  @Override
  String toString();
}
