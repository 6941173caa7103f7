package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PredictionsTest {
  private static final double A = Math.log(0.5);
  private static final double B = Math.log(0.25);
  private static final double INFINITY = Double.POSITIVE_INFINITY;

  private static double[] logits(double... values) {
    return values;
  }

  private static Position at(double[] before, double[] after) {
    return Position.of(before, after, OptionalInt.empty());
  }

  private static Predictions of(Position... positions) {
    Predictions.Meter meter = new Predictions.Meter();
    meter.add(List.of(positions));
    return meter.predictions().orElseThrow();
  }

  @Test
  void averagesTheDivergenceOfTheDistributions() {
    // sum p (log p - log q) = 0.5 log 2 - 0.25 log 2 at the first position, 0 at the second
    Predictions found =
        of(at(logits(A, B, B), logits(B, A, B)), at(logits(A, B, B), logits(A, B, B)));

    assertThat(found.divergence()).isCloseTo(0.125 * Math.log(2), within(1e-15));
    assertThat(found.agreement()).isEqualTo(0.5);
    assertThat(found.positions()).isEqualTo(2);
    assertThat(found.perplexities()).isEmpty();
  }

  @Test
  void averagesOverThePositionsOfAllRuns() {
    Position moved = at(logits(A, B, B), logits(B, A, B));
    Position same = at(logits(A, B, B), logits(A, B, B));
    Predictions.Meter meter = new Predictions.Meter();
    meter.add(List.of(moved));
    meter.add(List.of(same, same, same));

    assertThat(meter.predictions()).contains(of(moved, same, same, same));
  }

  @Test
  void doesNotSeeWhatAllLogitsHaveInCommon() {
    Position position = at(logits(A, B, B), logits(A + 300, B + 300, B + 300));

    assertThat(position.divergence()).isCloseTo(0, within(1e-12));
    assertThat(position.agrees()).isTrue();
  }

  @Test
  void isTakenInTheOrderOfTheModels() {
    // against the certain one: 0.5 log 0.5 + 0.5 log 0.25 + 0.5 * 10 + log (1 + 2 e^-10)
    double wanted = 1.5 * Math.log(0.5) + 5 + Math.log1p(2 * Math.exp(-10));

    assertThat(at(logits(A, B, B), logits(10, 0, 0)).divergence()).isCloseTo(wanted, within(1e-12));
    assertThat(at(logits(10, 0, 0), logits(A, B, B)).divergence())
        .isCloseTo(Math.log(2), within(1e-3));
  }

  @Test
  void isExactlyNoneBetweenTheSame() {
    Position position = at(logits(0.1, -2.3, 7.7), logits(0.1, -2.3, 7.7));

    assertThat(position.divergence()).isZero();
    assertThat(position.agrees()).isTrue();
  }

  @Test
  void aTokenThatNeitherAllowsAddsNothing() {
    Position position = at(logits(A, A, -INFINITY), logits(A, A, -INFINITY));

    assertThat(position.divergence()).isZero();
  }

  @Test
  void aTokenThatOnlyTheFirstAllowsIsInfinitelyFar() {
    assertThat(at(logits(A, A, A), logits(A, A, -INFINITY)).divergence()).isInfinite();
    assertThat(at(logits(A, A, -INFINITY), logits(A, A, A)).divergence())
        .isCloseTo(Math.log(1.5), within(1e-15));
  }

  @Test
  void whatIsNoDistributionIsInfinitelyFar() {
    for (double[] bad :
        List.of(logits(Double.NaN, 1), logits(INFINITY, 1), logits(1, Double.NaN))) {
      assertThat(at(bad, logits(1, 0)).divergence()).isInfinite();
      assertThat(at(logits(1, 0), bad).divergence()).isInfinite();
      assertThat(at(bad, bad.clone()).divergence()).isInfinite();
      assertThat(at(bad, bad.clone()).agrees()).isFalse();
    }
  }

  @Test
  void theHighDivergenceIsTheLeastThat99Of100DoNotPass() {
    Position[] hundred =
        IntStream.rangeClosed(1, 100)
            .mapToObj(i -> new Position(101 - i, true, false, 0, 0))
            .toArray(Position[]::new);

    assertThat(of(hundred).highDivergence()).isEqualTo(99);
    assertThat(of(hundred).largestDivergence()).isEqualTo(100);
    assertThat(of(hundred[0]).highDivergence()).isEqualTo(100);
  }

  @Test
  void perplexityIsOfTheMeanLossOverTokens() {
    // losses log 2 and log 4 become log 4 and log 4: the means are log 2^1.5 and log 4
    Position first = Position.of(logits(A, B, B), logits(B, A, B), OptionalInt.of(0));
    Position second = Position.of(logits(A, B, B), logits(A, B, B), OptionalInt.of(2));
    Predictions.Perplexities found =
        of(first, second, at(logits(1, 2), logits(1, 2))).perplexities().orElseThrow();

    assertThat(found.tokens()).isEqualTo(2);
    assertThat(found.before()).isCloseTo(Math.pow(2, 1.5), within(1e-12));
    assertThat(found.after()).isCloseTo(4, within(1e-12));
    assertThat(found.increase()).isCloseTo(Math.sqrt(2) - 1, within(1e-12));
  }

  @Test
  void aTokenThatIsRuledOutMakesPerplexityInfinite() {
    Position position = Position.of(logits(1, 1), logits(1, -INFINITY), OptionalInt.of(1));

    assertThat(of(position).perplexities().orElseThrow().increase()).isInfinite();
  }
}
