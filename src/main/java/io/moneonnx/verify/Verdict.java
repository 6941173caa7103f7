package io.moneonnx.verify;

import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.HashMap;
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
    Bounds bounds,
    double endToEnd,
    long positions,
    long leftOut,
    List<Flip> flips) {
  /**
   * How large errors may be.
   *
   * @param blocks by block: bound on its relative error
   * @param endToEnd bound on the relative error of the model's outputs
   * @param gap a choice between scores further apart than this is no matter of rounding
   */
  public record Bounds(Map<String, Double> blocks, double endToEnd, double gap) {
    static Bounds of(List<MoeBlock> blocks) {
      Map<String, Double> bounds = new HashMap<>();
      blocks.forEach(block -> bounds.put(block.name(), block.precision().proved()));
      return new Bounds(
          bounds,
          bounds.values().stream().max(Double::compare).orElseThrow(),
          blocks.stream().mapToDouble(block -> block.precision().gap()).max().orElseThrow());
    }
  }

  /**
   * The first difference in routing at a position.
   *
   * @param gap difference of the two experts' scores in the oracle's run
   */
  public record Flip(String block, long position, double gap) {}

  /** The same, and further choices that rounding turned over. */
  Verdict with(List<Flip> moreFlips) {
    List<Flip> all = new ArrayList<>(flips);
    all.addAll(moreFlips);
    return new Verdict(blockErrors, bounds, endToEnd, positions, leftOut, List.copyOf(all));
  }

  public double worstBlock() {
    return blockErrors.values().stream().mapToDouble(Double::doubleValue).max().orElse(0);
  }

  /** The figures on one line. */
  public String text() {
    String text =
        "largest relative error %.2g block by block, %.2g end to end (bound %.0e)"
            .formatted(worstBlock(), endToEnd, bounds.endToEnd());
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
    return blockErrors.entrySet().stream()
            .allMatch(error -> error.getValue() <= bounds.blocks().get(error.getKey()))
        && endToEnd <= bounds.endToEnd()
        && leftOut < positions
        && flips.stream().allMatch(flip -> flip.gap() <= bounds.gap());
  }
}
