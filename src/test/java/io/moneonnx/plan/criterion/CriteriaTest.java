package io.moneonnx.plan.criterion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CriteriaTest {
  /**
   * Ten tokens. V is 8 / 2 = 4 for expert 0 and 9 / 1 = 9 for expert 1; expert 2 was seen once, so
   * that its V is 9 too; expert 3 was never seen.
   */
  private static final BlockStatistics BLOCK =
      block(new long[] {3, 2, 1, 0}, 6, 2, 1, 8, 0, 0, 0, 0);

  @ParameterizedTest
  @CsvSource({
    // sqrt(V) is 2, 3, 3; G1 is 1.5, 1, 0.5; A1 is 9, 8, 7; A2 is 30, 40, 50;
    // B1 is 6, 3, 2; B2 is 0.9, 0.8, 0.7; R2 is 0.3, 0.2, 0.1
    "mone,          0.3, 0.3, 0.15",
    "mone-paper,    1.0, 1.5, 1.5",
    "mone-count,    0.6, 0.6, 0.3",
    "frequency,     3,   2,   1",
    "routing-score, 1.5, 1,   0.5",
    "mean-gate,     0.5, 0.5, 0.5",
    "variance,      2,   3,   3",
    "ean,           9,   8,   7",
    "man,           3,   4,   7",
    "msan,          10,  20,  50",
    "weighted-ean,  6,   3,   2",
    "weighted-ean2, 0.9, 0.8, 0.7",
    "reap,          2,   1.5, 2",
    "residual,      0.3, 0.2, 0.1",
  })
  void scoresByItsFormula(String name, double first, double second, double third) {
    assertThat(Criteria.named(name).scores(BLOCK))
        .containsExactly(
            new double[] {first, second, third, Double.NEGATIVE_INFINITY}, within(1e-15));
  }

  @Test
  void takesSpreadsForEqualWhereNoneIsKnown() {
    BlockStatistics oneToken = block(new long[] {1, 1, 0, 0}, 0, 0, 0, 0, 0, 0, 0, 0);

    assertThat(Criteria.named("variance").scores(oneToken))
        .containsExactly(1, 1, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY);
  }

  @Test
  void listsTheNamesThereAre() {
    assertThatThrownBy(() -> Criteria.named("best"))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "no criterion 'best'; there are mone, mone-paper, mone-count, frequency,"
                + " routing-score, mean-gate, variance, ean, man, msan, weighted-ean,"
                + " weighted-ean2, reap, residual, random");
  }

  @Test
  void chanceIsTheSameForOneSeedBlockAndExpert() {
    double[] scores = Criteria.named("random", 7).scores(BLOCK);

    assertThat(Criteria.named("random", 7).scores(BLOCK)).containsExactly(scores);
    assertThat(Criteria.named("random", 8).scores(BLOCK)).isNotEqualTo(scores);
    assertThat(
            Criteria.named("random", 7)
                .scores(MadeStatistics.of(header("other")).with(Statistic.N, 3, 2, 1, 0).block()))
        .isNotEqualTo(scores);
    assertThat(scores).doesNotHaveDuplicates().endsWith(Double.NEGATIVE_INFINITY);
    assertThat(Criteria.named("random", 7).description()).isEqualTo("random, seed 7");
  }

  private static BlockHeader header(String name) {
    return new BlockHeader(name, "SparseLoop", 4, 2, 2, 0, 100);
  }

  private static BlockStatistics block(long[] n, double... m2) {
    return MadeStatistics.of(header("mlp"))
        .with(Statistic.N, Values.counts(n))
        .with(Statistic.G1, 1.5, 1, 0.5, 0)
        .with(Statistic.G2, 1, 1, 1, 0)
        .with(Statistic.A1, 9, 8, 7, 0)
        .with(Statistic.A2, 30, 40, 50, 0)
        .with(Statistic.B1, 6, 3, 2, 0)
        .with(Statistic.B2, 0.9, 0.8, 0.7, 0)
        .with(Statistic.M2, Values.of(m2))
        .with(Statistic.R2, 0.3, 0.2, 0.1, 0)
        .with(Statistic.T, 10)
        .block();
  }
}
