package io.moneonnx.observe;

import java.util.List;
import java.util.Map;

/**
 * The outputs that an observed model has for one block.
 *
 * @param block name of the block
 * @param outputs the name of the graph output for each statistic
 */
record Taps(String block, Map<Statistic, String> outputs) {
  /** What one run of the observed model says of one block; sizes in {@code []}, all float32. */
  enum Statistic {
    /** Rows counted at the experts {@code [E]}. */
    ROWS,
    /** Sums of {@code g, g^2, |f|, |f|^2, g|f|, g^2|f|^2} {@code [E, 6]}. */
    SUMS,
    /**
     * Of each expert {@code m}, its mean as float32 rounds it, {@code sum (f - m)}, {@code sum g^2
     * (f - m)}, {@code sum (f - m)^2} and {@code sum g^2 (f - m)^2} {@code [E, 5, H]}.
     */
    MOMENTS,
    /** {@code [E]}. */
    PEAK,
    /**
     * Least step from the id of one row to the next, for forms with separate experts {@code []}.
     */
    SMALLEST_STEP,
    /** Tokens that chose both of two experts {@code [E, E]}; the diagonal counts the choices. */
    CHOSEN_TOGETHER,
    /** {@code []}. */
    TOKENS,
    /** {@code []}. */
    Y2,
    /**
     * Largest difference between the block's output and the one rebuilt from rows, and the largest
     * absolute value of that output; zeros where that was not asked for {@code [2]}.
     */
    REBUILT,
    /** Tokens that were left out, since something of theirs is not finite {@code []}. */
    SPOILED,
    /**
     * The first choice of such a token: slot, expert, how many tokens there are, and the magnitudes
     * that {@link NotFinite.What} is about, infinite where something is not finite {@code [6]}.
     */
    FIRST_SPOILED
  }

  List<String> names() {
    return List.copyOf(outputs.values());
  }
}
