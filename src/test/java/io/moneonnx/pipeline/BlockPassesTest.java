package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.Statistic.Detail;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which blocks are measured together: each of these has 5 experts of 5 neurons, 75 pairs. */
final class BlockPassesTest {
  private static final long HEAP = Long.MAX_VALUE;
  private static final long OF_A_BLOCK = 2 * 75 * 24;

  private static final MoeBlock BLOCK = Spelling.DYNAMO.of(5, 2, 4).block();
  private static final List<MoeBlock> BLOCKS = List.of(BLOCK, BLOCK, BLOCK);

  @Test
  void areAllWhereMomentsAreNotAskedFor() {
    assertThat(new BlockPasses(1, 1).of(BLOCKS, Detail.FULL)).containsExactly(BLOCKS);
  }

  @Test
  void areAsManyAsMemoryHoldsTheMomentsOf() {
    assertThat(new BlockPasses(3 * OF_A_BLOCK, HEAP).of(BLOCKS, Detail.MOMENTS))
        .containsExactly(BLOCKS);
    assertThat(new BlockPasses(3 * OF_A_BLOCK - 1, HEAP).of(BLOCKS, Detail.MOMENTS))
        .containsExactly(List.of(BLOCK, BLOCK), List.of(BLOCK));
    assertThat(new BlockPasses(HEAP, OF_A_BLOCK).of(BLOCKS, Detail.MOMENTS)).hasSize(3);
  }

  @Test
  void oneThatDoesNotFitIsNamed() {
    assertThatThrownBy(() -> new BlockPasses(OF_A_BLOCK - 1, HEAP).of(BLOCKS, Detail.MOMENTS))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("block 'experts': the moments of 5 experts of 5 neurons are 0 MiB");
  }
}
