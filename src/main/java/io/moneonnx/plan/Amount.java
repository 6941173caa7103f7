package io.moneonnx.plan;

/** How many experts are to go. */
public sealed interface Amount permits Ratio, PruneCount, TargetSize, Thresholds {
  /**
   * Chooses exactly so many.
   *
   * @throws io.moneonnx.graph.BadInputException if so many cannot go; says what can
   */
  Selection from(Candidates candidates, Scope scope);

  /**
   * Checks what can be known before anything is measured.
   *
   * @throws io.moneonnx.graph.BadInputException if so many cannot go; says what can
   */
  default void check(Candidates unmeasured, Scope scope) {
    from(unmeasured, scope);
  }

  /** As it is asked for on a command line, without dashes. */
  @Override
  String toString();
}
