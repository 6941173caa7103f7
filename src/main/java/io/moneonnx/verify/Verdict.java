package io.moneonnx.verify;

import java.util.List;
import java.util.Map;

/**
 * Whether a rewritten model computes what the oracle says.
 *
 * @param blockErrors by block: largest relative error of its routed output, on its own input
 * @param endToEnd largest relative error of the model's outputs at the positions compared
 * @param positions sequence positions run, over all feeds
 * @param leftOut positions not compared since routing differed at or before them
 * @param flips choices that rounding turned over: where and by how small a gap
 */
public record Verdict(
    Map<String, Double> blockErrors,
    double endToEnd,
    long positions,
    long leftOut,
    List<Flip> flips) {
  /** Bound on relative errors in float32. */
  public static final double TOLERANCE = 1e-5;

  /** A choice between scores further apart than this is no matter of rounding. */
  public static final double LARGEST_GAP = 1e-4;

  /**
   * The first difference in routing at a position.
   *
   * @param gap difference of the two experts' scores in the oracle's run
   */
  public record Flip(String block, long position, double gap) {}

  public double worstBlock() {
    return blockErrors.values().stream().mapToDouble(Double::doubleValue).max().orElse(0);
  }

  /** The figures on one line. */
  public String text() {
    String text =
        "largest relative error %.2g block by block, %.2g end to end (bound %.0e)"
            .formatted(worstBlock(), endToEnd, TOLERANCE);
    return flips.isEmpty()
        ? text
        : text
            + "; %d of %d positions left out behind %d flipped choices with gaps up to %.2g"
                .formatted(
                    leftOut,
                    positions,
                    flips.size(),
                    flips.stream().mapToDouble(Flip::gap).max().orElse(0));
  }

  public boolean holds() {
    return worstBlock() <= TOLERANCE
        && endToEnd <= TOLERANCE
        && leftOut < positions
        && flips.stream().allMatch(flip -> flip.gap() <= LARGEST_GAP);
  }
}
