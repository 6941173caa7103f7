package io.moneonnx.plan;

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

final class CriterionTest {
  /**
   * Ten tokens. V is 8 / 2 = 4 for expert 0 and 9 / 1 = 9 for expert 1; expert 2 was seen once, so
   * that its V is 9 too; expert 3 was never seen.
   */
  private static final BlockStatistics BLOCK =
      block(new long[] {3, 2, 1, 0}, 6, 2, 1, 8, 0, 0, 0, 0);

  @ParameterizedTest
  @CsvSource({
    // sqrt(V) is 2, 3, 3; G1 is 1.5, 1, 0.5; B1 is 6, 3, 2; R2 is 0.3, 0.2, 0.1
    "mone,          0.3, 0.3, 0.15",
    "mone-paper,    1.0, 1.5, 1.5",
    "mone-count,    0.6, 0.6, 0.3",
    "frequency,     3,   2,   1",
    "routing-score, 1.5, 1,   0.5",
    "variance,      2,   3,   3",
    "reap,          2,   1.5, 2",
    "residual,      0.3, 0.2, 0.1",
  })
  void scoresByItsFormula(String name, double first, double second, double third) {
    assertThat(Criterion.named(name).score(BLOCK))
        .containsExactly(
            new double[] {first, second, third, Double.NEGATIVE_INFINITY}, within(1e-15));
  }

  @Test
  void takesSpreadsForEqualWhereNoneIsKnown() {
    BlockStatistics oneToken = block(new long[] {1, 1, 0, 0}, 0, 0, 0, 0, 0, 0, 0, 0);

    assertThat(Criterion.named("variance").score(oneToken))
        .containsExactly(1, 1, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY);
  }

  @Test
  void listsTheNamesThereAre() {
    assertThatThrownBy(() -> Criterion.named("best"))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "no criterion 'best'; there are mone, mone-paper, mone-count, frequency,"
                + " routing-score, variance, reap, residual");
  }

  private static BlockStatistics block(long[] n, double... m2) {
    return new BlockStatistics(
        new BlockHeader("mlp", "SparseLoop", 4, 2, 2, 100),
        Longs.of(n),
        Doubles.of(1.5, 1, 0.5, 0),
        Doubles.of(1, 1, 1, 0),
        Doubles.of(new double[4]),
        Doubles.of(new double[4]),
        Doubles.of(6, 3, 2, 0),
        Doubles.of(new double[4]),
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
