package io.moneonnx.profile;

import static io.moneonnx.profile.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BlockStatisticsTest {
  private static final int TOKENS = 200;

  @ParameterizedTest
  @ValueSource(doubles = {0, 1000})
  void mergesToWhatOnePassOverAllTokensGives(double offset) {
    RandomTokens tokens = RandomTokens.of(TOKENS, offset, 1);

    BlockStatistics merged =
        Stream.of(
                tokens.statistics(0, 1),
                tokens.statistics(1, 90),
                tokens.statistics(90, 91),
                tokens.statistics(91, TOKENS))
            .reduce(BlockStatistics.empty(tokens.header()), BlockStatistics::merge);

    assertSame(merged, tokens.statistics(0, TOKENS));
  }

  @Test
  void mergesInAnyOrder() {
    RandomTokens tokens = RandomTokens.of(TOKENS, 1000, 2);
    BlockStatistics a = tokens.statistics(0, 10);
    BlockStatistics b = tokens.statistics(10, 30);
    BlockStatistics c = tokens.statistics(30, TOKENS);

    assertSame(a.merge(b).merge(c), c.merge(a.merge(b)));
    assertSame(a.merge(b).merge(c), a.merge(c).merge(b));
  }

  @Test
  void leavesEveryNumberAsItIsWhenNothingIsMergedIn() {
    RandomTokens tokens = RandomTokens.of(TOKENS, 1000, 3);
    BlockStatistics all = tokens.statistics(0, TOKENS);
    BlockStatistics nothing = BlockStatistics.empty(tokens.header());

    assertThat(all.merge(nothing)).isEqualTo(all);
    assertThat(nothing.merge(all)).isEqualTo(all);
  }

  @Test
  void keepsNoNumbersThatNothingWasCountedFor() {
    BlockStatistics block = RandomTokens.of(TOKENS, 0, 4).statistics(0, TOKENS);

    assertThat(block.neverChosen()).isEqualTo(List.of(4));
    for (Statistic statistic : Statistic.Detail.FULL.statistics()) {
      Values values = block.get(statistic);
      int row = statistic == Statistic.T || statistic == Statistic.Y2 ? 0 : 4;
      int width = values.size() / (row == 0 ? 1 : block.experts());
      boolean isDefined = statistic.weight().isEmpty();
      assertThat(block.all().defines(statistic, row)).isEqualTo(isDefined);
      assertThat(values.stream().skip((long) row * width))
          .allMatch(isDefined ? x -> x >= 0 : x -> Double.isNaN(x));
      assertThat(values.stream().limit((long) row * width)).allMatch(Double::isFinite);
    }
  }

  @Test
  void knowsNoVarianceOfOneToken() {
    BlockStatistics block = RandomTokens.of(1, 0, 5).statistics(0, 1);

    for (int expert = 0; expert < block.experts(); expert++) {
      assertThat(block.all().variance(expert)).isEmpty();
    }
  }

  @Test
  void keepsWhatShardsAndTaggedSourcesSay() {
    RandomTokens tokens = RandomTokens.of(TOKENS, 10, 6);
    BlockStatistics first = tokens.statistics(0, 50).ofBatch(1, Optional.of("prose"));
    BlockStatistics second = tokens.statistics(50, 90).ofBatch(2, Optional.empty());
    BlockStatistics third =
        tokens.statistics(90, TOKENS).ofBatch(1 + Slices.SHARDS, Optional.of("prose"));

    Slices slices = third.merge(second).merge(first).slices();

    Statistics pooled = third.all().sums().merge(first.all().sums());
    assertThat(slices.shards()).isEqualTo(Map.of(1, pooled, 2, second.all().sums()));
    assertThat(slices.sources()).isEqualTo(Map.of("prose", pooled));
    assertThat(pooled.get(Statistic.N).count(0))
        .isEqualTo(first.get(Statistic.N).count(0) + third.get(Statistic.N).count(0));
    assertThat(pooled.get(Statistic.M2).get(0))
        .isEqualTo(
            third.all().sums().get(Statistic.M2).get(0)
                + first.all().sums().get(Statistic.M2).get(0));
  }

  @Test
  void refusesToMergeDifferentBlocks() {
    BlockStatistics block =
        BlockStatistics.empty(new BlockHeader("a", "SparseLoop", 4, 2, 3, 0, 100));
    BlockStatistics other =
        BlockStatistics.empty(new BlockHeader("b", "SparseLoop", 4, 2, 3, 0, 100));

    assertThatThrownBy(() -> block.merge(other)).hasMessageContaining("does not merge");
  }

  private static void assertSame(BlockStatistics found, BlockStatistics wanted) {
    assertClose(found.all(), wanted.all(), 1e-12);
    assertThat(found.get(Statistic.PEAK)).isEqualTo(wanted.get(Statistic.PEAK));
  }
}
