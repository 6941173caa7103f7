package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class DistanceTest {
  private static final double INFINITY = Double.POSITIVE_INFINITY;

  private static double[] of(double... values) {
    return values;
  }

  @Test
  void isTheLargestDifferenceOverTheLargestNumber() {
    Distance distance = Distance.of(of(1, -4, 2), of(1, -3, 2.5));

    assertThat(distance.relativeError()).isEqualTo(0.25);
    // (1 + 12 + 5) / sqrt(21 * 16.25)
    assertThat(distance.cosine()).isCloseTo(18 / Math.sqrt(21 * 16.25), within(1e-15));
  }

  @Test
  void poolsRunsAsIfTheyWereOneTensor() {
    Distance first = Distance.of(of(1, 0), of(2, 0));
    Distance second = Distance.of(of(0, -10), of(0, -10.5));
    Distance whole = Distance.of(of(1, 0, 0, -10), of(2, 0, 0, -10.5));

    assertThat(first.plus(second)).isEqualTo(whole);
    assertThat(whole.relativeError()).isEqualTo(0.1);
  }

  @Test
  void isNoneBetweenTheSame() {
    double[] values = of(0.1, 1e200, -3e-7);
    Distance same = Distance.of(values, values.clone());

    assertThat(same.relativeError()).isZero();
    assertThat(same.cosine()).isEqualTo(1);
    assertThat(Distance.NONE.cosine()).isEqualTo(1);
  }

  @Test
  void hasACosineOfMinusOneToTheOpposite() {
    assertThat(Distance.of(of(3, 4), of(-3, -4)).cosine()).isEqualTo(-1);
    assertThat(Distance.of(of(1, 0), of(0, 1)).cosine()).isZero();
    assertThat(Distance.of(of(1, 0), of(0, 0)).cosine()).isZero();
  }

  @Test
  void isInfiniteWhereOneIsNotFinite() {
    for (double bad : of(Double.NaN, INFINITY)) {
      for (Distance distance :
          new Distance[] {Distance.of(of(1), of(bad)), Distance.of(of(bad), of(1))}) {
        assertThat(distance.plus(Distance.of(of(1), of(1))).relativeError()).isInfinite();
        assertThat(distance.cosine()).isNaN();
      }
    }
    assertThat(Distance.of(of(INFINITY), of(-INFINITY)).relativeError()).isInfinite();
  }

  @Test
  void leavesOutWhatIsAlikeAndNotFinite() {
    Distance distance =
        Distance.of(of(-INFINITY, Double.NaN, 2, 2), of(-INFINITY, Double.NaN, 1, 2));

    assertThat(distance).isEqualTo(Distance.of(of(2, 2), of(1, 2)));
  }
}
