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
    /** {@code [E, H]}, as float32 rounds it. */
    MEAN,
    /** {@code sum (f - MEAN)}: what rounding left of it {@code [E, H]}. */
    MEAN_OFF,
    /** {@code sum (f - MEAN)^2} {@code [E, H]}. */
    M2,
    /** {@code [E, H]}, as float32 rounds it. */
    GMEAN,
    /** {@code sum g^2 (f - GMEAN)} {@code [E, H]}. */
    GMEAN_OFF,
    /** {@code sum g^2 |f - GMEAN|^2} {@code [E, 1]}. */
    R2,
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
    /** Largest difference between the block's output and the one rebuilt from rows {@code []}. */
    REBUILT_OFF_BY,
    /** Largest absolute value of the block's output {@code []}. */
    LARGEST,
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
