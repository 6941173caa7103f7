package io.moneonnx.pipeline;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.RunOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * Which blocks are measured in one pass over the data: all of them, or as many as memory holds the
 * moments of.
 *
 * @param memory what runs may take, in bytes
 * @param heap what the Java heap may take, in bytes
 */
record BlockPasses(long memory, long heap) {
  /** Of each pair of inner neurons: a sum, and what one run adds to it. */
  private static final int HEAP_BYTES = 16;

  /** And what the runtime holds of that. */
  private static final int BYTES = HEAP_BYTES + Double.BYTES;

  /** The rest is for the model itself. */
  private static final int SHARE = 2;

  static BlockPasses of(RunOptions options) {
    return new BlockPasses(options.memory().bytes(), Runtime.getRuntime().maxMemory());
  }

  /**
   * The blocks of each pass.
   *
   * @throws BadInputException if the moments of one block alone do not fit
   */
  List<List<MoeBlock>> of(List<MoeBlock> blocks, Detail detail) {
    if (detail != Detail.MOMENTS) {
      return List.of(blocks);
    }
    List<List<MoeBlock>> passes = new ArrayList<>();
    long pairs = most() + 1;
    for (MoeBlock block : blocks) {
      require(block);
      pairs += pairs(block);
      if (pairs > most()) {
        passes.add(new ArrayList<>());
        pairs = pairs(block);
      }
      passes.get(passes.size() - 1).add(block);
    }
    return passes;
  }

  private long most() {
    return Math.min(heap / SHARE / HEAP_BYTES, memory / SHARE / BYTES);
  }

  private void require(MoeBlock block) {
    long most = Math.min(most(), Integer.MAX_VALUE / Double.BYTES);
    if (pairs(block) > most) {
      throw new BadInputException(
          "block '%s': the moments of %d experts of %d neurons are %,d MiB; expected at most %,d MiB, with --memory %,d MiB and a Java heap of %,d MiB"
              .formatted(
                  block.name(),
                  block.experts(),
                  block.inner(),
                  mebibytes(pairs(block) * Double.BYTES),
                  mebibytes(most * Double.BYTES),
                  mebibytes(memory),
                  mebibytes(heap)));
    }
  }

  private static long pairs(MoeBlock block) {
    return block.experts() * (block.inner() * (block.inner() + 1L) / 2);
  }

  private static long mebibytes(long bytes) {
    return bytes >> 20;
  }
}
