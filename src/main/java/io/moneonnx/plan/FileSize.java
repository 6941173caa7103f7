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
   * @param noviceBytes of one novice: 0 where none are stored
   * @param narrowed how many experts lose neurons
   * @param neurons bytes of these neurons
   * @param atoms bytes that atoms have beside neurons; 0 where there are none
   */
  record Block(
      BlockHeader header, int pruned, long noviceBytes, int narrowed, long neurons, long atoms) {
    Block(BlockHeader header, int pruned) {
      this(header, pruned, (long) Float.BYTES * header.hidden(), 0, 0, 0);
    }
  }

  /** In bytes. */
  static long atMost(long modelBytes, List<Block> blocks) {
    long bytes = modelBytes + modelBytes / GAPS + NODES;
    for (Block block : blocks) {
      if (block.pruned() > 0 || block.narrowed() > 0) {
        bytes += overhead(block, block.pruned() + block.narrowed());
        bytes += block.noviceBytes() * block.pruned();
        bytes -= block.header().expertBytes() * block.pruned() + block.neurons();
      }
    }
    return bytes;
  }

  /** What a file may have beside its weights and novices where all experts of blocks change. */
  static long overhead(long modelBytes, List<Block> blocks) {
    return modelBytes / GAPS
        + NODES
        + blocks.stream().mapToLong(block -> overhead(block, block.header().experts())).sum();
  }

  /** Beside novices, in four bytes an element, one row for all kept experts, and what connects. */
  private static long overhead(Block block, int changed) {
    long tables = block.pruned() == 0 ? 0 : (long) TABLES * block.header().experts();
    return NODES
        + (long) METADATA * changed
        + tables
        + block.atoms()
        + (block.pruned() == 0 ? 0 : block.noviceBytes());
  }
}
