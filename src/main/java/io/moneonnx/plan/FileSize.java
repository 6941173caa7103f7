package io.moneonnx.plan;

import io.moneonnx.profile.BlockHeader;
import java.util.List;

/**
 * How large a rewritten model is at most, from what a profile knows. What a rewritten block adds is
 * allowed for: nodes and tables of column numbers, an entry in the metadata for each pruned expert,
 * and for the whole file the space between tensors that begin on pages, a thousandth.
 */
final class FileSize {
  private static final int NODES = 8192;
  private static final int METADATA = 256;
  private static final int TABLES = 64;
  private static final int GAPS = 1000;

  private FileSize() {}

  /**
   * A block that loses this number of experts, and others of which lose neurons.
   *
   * @param narrowed how many of them do
   * @param neurons bytes of these neurons
   */
  record Block(BlockHeader header, int pruned, int narrowed, long neurons) {
    Block(BlockHeader header, int pruned) {
      this(header, pruned, 0, 0);
    }
  }

  /** In bytes. */
  static long atMost(long modelBytes, List<Block> blocks) {
    long bytes = modelBytes + modelBytes / GAPS + NODES;
    for (Block block : blocks) {
      bytes += block.pruned() == 0 ? 0 : added(block) - removed(block);
      bytes += block.narrowed() == 0 ? 0 : overhead(1, block.narrowed()) - block.neurons();
    }
    return bytes;
  }

  /** What a file with this number of narrowed blocks and experts may have beside its weights. */
  static long overhead(long modelBytes, int blocks, int experts) {
    return modelBytes / GAPS + NODES + overhead(blocks, experts);
  }

  private static long overhead(int blocks, int experts) {
    return (long) NODES * blocks + (long) METADATA * experts;
  }

  private static long removed(Block block) {
    return block.header().expertBytes() * block.pruned();
  }

  /** Novices in four bytes an element, one row for all kept experts, and what connects them. */
  private static long added(Block block) {
    long novices = (block.pruned() + 1L) * block.header().hidden() * Float.BYTES;
    return novices
        + NODES
        + (long) METADATA * block.pruned()
        + (long) TABLES * block.header().experts();
  }
}
