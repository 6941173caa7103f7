package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import java.util.List;

/**
 * What calibration saw too little of.
 *
 * @param neverChosen experts that no token chose
 * @param starved blocks in which too few tokens were seen to tell experts apart
 * @param holes experts that were chosen, but by no token of a tagged source
 */
public record CalibrationGaps(List<Unseen> neverChosen, List<Starved> starved, List<Hole> holes) {
  /**
   * Calls an expert, on average over a block, below which the block is starved. Measured on a
   * trained model of 64 experts: with 64 calls an expert or fewer, every fifth decision flips when
   * one shard is left out; with 128, every tenth; from 256 on, at most every sixteenth.
   */
  static final double ENOUGH_CALLS = 128;

  public CalibrationGaps {
    neverChosen = List.copyOf(neverChosen);
    starved = List.copyOf(starved);
    holes = List.copyOf(holes);
  }

  /** Experts of a block. */
  public record Unseen(String block, List<Integer> experts) {}

  /**
   * A block.
   *
   * @param calls an expert, on average
   */
  public record Starved(String block, double calls) {}

  /**
   * Experts of a block, which no token of a source chose.
   *
   * @param source its tag
   */
  public record Hole(String source, String block, List<Integer> experts) {}

  public static CalibrationGaps of(Profile profile) {
    return new CalibrationGaps(
        profile.blocks().stream()
            .map(block -> new Unseen(block.name(), block.neverChosen()))
            .filter(unseen -> !unseen.experts().isEmpty())
            .toList(),
        profile.blocks().stream()
            .map(block -> new Starved(block.name(), calls(block)))
            .filter(block -> block.calls() < ENOUGH_CALLS)
            .toList(),
        profile.blocks().stream().flatMap(block -> holes(block).stream()).toList());
  }

  private static double calls(BlockStatistics block) {
    return (double) block.calls() / block.header().owners().size();
  }

  private static List<Hole> holes(BlockStatistics block) {
    return block.slices().sources().entrySet().stream()
        .map(
            source ->
                new Hole(
                    source.getKey(),
                    block.name(),
                    block.header().owners().stream()
                        .filter(expert -> block.get(Statistic.N, expert) > 0)
                        .filter(expert -> source.getValue().get(Statistic.N, expert) == 0)
                        .toList()))
        .filter(hole -> !hole.experts().isEmpty())
        .toList();
  }
}
