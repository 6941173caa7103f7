package io.moneonnx.verify;

import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether a rewritten model computes what the oracle says.
 *
 * @param broken what of the file is not as it must be, a sentence each
 * @param blockErrors by block: largest relative error of its routed output, on its own input
 * @param endToEnd largest relative error of the model's outputs at the positions compared
 * @param positions sequence positions run, over all feeds
 * @param leftOut positions not compared since routing differed at or before them
 * @param flips choices that rounding turned over: where and by how small a gap
 */
public record Verdict(
    List<String> broken,
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
  public record Flip(String block, long position, double gap) {
    private String text() {
      return gap < Double.POSITIVE_INFINITY
          ? "block '%s' chooses other experts at position %d, though scores are %.2g apart"
              .formatted(block, position, gap)
          : "block '%s' chooses an expert at position %d that its router should have lost"
              .formatted(block, position);
    }
  }

  /** Of a file that cannot be compared. */
  static Verdict broken(List<String> broken, List<MoeBlock> blocks) {
    return new Verdict(List.copyOf(broken), Map.of(), Bounds.of(blocks), 0, 0, 0, List.of());
  }

  /** The same, and what else is broken. */
  Verdict with(List<String> moreBroken) {
    return with(moreBroken, List.of());
  }

  /** The same, what else is broken, and further choices that rounding turned over. */
  Verdict with(List<String> moreBroken, List<Flip> moreFlips) {
    return new Verdict(
        joined(broken, moreBroken),
        blockErrors,
        bounds,
        endToEnd,
        positions,
        leftOut,
        joined(flips, moreFlips));
  }

  private static <T> List<T> joined(List<T> some, List<T> more) {
    return Stream.concat(some.stream(), more.stream()).toList();
  }

  public double worstBlock() {
    return blockErrors.values().stream().mapToDouble(Double::doubleValue).max().orElse(0);
  }

  /** The blocks that are further from the oracle than they may be; NaN is no nearness either. */
  public List<String> wrongBlocks() {
    return blockErrors.entrySet().stream()
        .filter(error -> !(error.getValue() <= bounds.blocks().get(error.getKey())))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** What is broken, or else the figures and the first reason why it does not hold, on one line. */
  public String text() {
    if (!broken.isEmpty()) {
      return String.join("; ", broken);
    }
    return reasons().stream()
        .findFirst()
        .map(reason -> figures() + "; " + reason)
        .orElse(figures());
  }

  private String figures() {
    String text =
        "largest relative error %.2g block by block, %.2g end to end (bound %.0e)"
            .formatted(worstBlock(), endToEnd, bounds.endToEnd());
    return flips.isEmpty()
        ? text
        : text
            + "; %d of %d positions left out behind %d flipped choices with gaps up to %.2g"
                .formatted(leftOut, positions, flips.size(), widest());
  }

  public boolean holds() {
    return reasons().isEmpty();
  }

  /**
   * Whether nothing is wrong but that outputs or scores are further apart than rounding in a block
   * would account for: it may be that the model makes more of it.
   */
  boolean mayBeRounding() {
    return broken.isEmpty()
        && wrongBlocks().isEmpty()
        && Double.isFinite(endToEnd)
        && !(endToEnd <= bounds.endToEnd() && widest() <= bounds.gap());
  }

  private double widest() {
    return flips.stream().mapToDouble(Flip::gap).max().orElse(0);
  }

  /** The same under other bounds. */
  Verdict within(Bounds others) {
    return new Verdict(broken, blockErrors, others, endToEnd, positions, leftOut, flips);
  }

  /** How wrong a block is, in a sentence. */
  public String reason(String block) {
    return "block '%s' is off by %.2g relative, expected at most %.0e"
        .formatted(block, blockErrors.get(block), bounds.blocks().get(block));
  }

  /** Why it does not hold, a sentence each: what was found and what was wanted. */
  public List<String> reasons() {
    List<String> reasons = new ArrayList<>(broken);
    wrongBlocks().forEach(block -> reasons.add(reason(block)));
    if (!(endToEnd <= bounds.endToEnd())) {
      reasons.add(
          "outputs are off by %.2g relative, expected at most %.0e"
              .formatted(endToEnd, bounds.endToEnd()));
    }
    Optional<Flip> wide = flips.stream().filter(flip -> !(flip.gap() <= bounds.gap())).findFirst();
    wide.ifPresent(
        flip -> reasons.add("%s, expected at most %.0e".formatted(flip.text(), bounds.gap())));
    if (broken.isEmpty() && wide.isEmpty() && leftOut >= positions) {
      reasons.add(
          "nothing could be compared end to end: all %d positions".formatted(positions)
              + " lie behind choices that rounding turned over");
    }
    return reasons;
  }
}
