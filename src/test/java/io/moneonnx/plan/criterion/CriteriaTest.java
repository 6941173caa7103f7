package io.moneonnx.plan.criterion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import io.moneonnx.profile.Longs;
import io.moneonnx.profile.Slices;
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
    assertThat(Criteria.named("random", 7).scores("other", BLOCK.sums())).isNotEqualTo(scores);
    assertThat(scores).doesNotHaveDuplicates().endsWith(Double.NEGATIVE_INFINITY);
    assertThat(Criteria.named("random", 7).description()).isEqualTo("random, seed 7");
  }

  private static BlockStatistics block(long[] n, double... m2) {
    return new BlockStatistics(
        new BlockHeader("mlp", "SparseLoop", 4, 2, 2, 100),
        Longs.of(n),
        Doubles.of(1.5, 1, 0.5, 0),
        Doubles.of(1, 1, 1, 0),
        Doubles.of(9, 8, 7, 0),
        Doubles.of(30, 40, 50, 0),
        Doubles.of(6, 3, 2, 0),
        Doubles.of(0.9, 0.8, 0.7, 0),
        Doubles.of(new double[8]),
        Doubles.of(m2),
        Doubles.of(new double[8]),
        Doubles.of(0.3, 0.2, 0.1, 0),
        Doubles.of(new double[4]),
        10,
        Longs.of(new long[16]),
        0,
        Slices.NONE);
  }
}
