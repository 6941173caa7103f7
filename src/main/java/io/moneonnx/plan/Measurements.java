package io.moneonnx.plan;

import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.profile.Statistics;
import java.util.List;

/**
 * What a choice of experts is made from: all that was measured, or a part of it.
 *
 * @param modelBytes bytes of the model's files
 */
record Measurements(long modelBytes, List<Block> blocks) {
  Measurements {
    blocks = List.copyOf(blocks);
  }

  /** What is known of one block. */
  record Block(Statistics sums) {
    BlockHeader header() {
      return sums.header();
    }

    String name() {
      return header().name();
    }

    int experts() {
      return header().experts();
    }
  }

  static Measurements of(Profile profile) {
    return new Measurements(
        profile.modelBytes(),
        profile.blocks().stream().map(block -> new Block(block.all().sums())).toList());
  }

  /** Of blocks of which nothing was measured yet. */
  static Measurements unmeasured(long modelBytes, List<BlockHeader> blocks) {
    return new Measurements(
        modelBytes,
        blocks.stream().map(header -> new Block(Statistics.nothing(header, Detail.SUMS))).toList());
  }
}
