package io.moneonnx.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Whether statistics agree: counts exactly, numbers relative to the largest of their array. */
public final class Closeness {
  private Closeness() {}

  public static void assertClose(Statistics found, Statistics wanted, double tolerance) {
    assertThat(found.header()).isEqualTo(wanted.header());
    for (Statistic each : wanted.detail().statistics()) {
      assertClose(each, found.get(each), wanted.get(each), tolerance);
    }
  }

  /** What is not defined must be so on both sides. */
  public static void assertClose(Statistic what, Values found, Values wanted, double tolerance) {
    double largest = wanted.stream().filter(Double::isFinite).map(Math::abs).max().orElse(0);
    double apart = what.type() == Values.Type.COUNT ? 0 : tolerance * largest;
    assertThat(largest).as(what.symbol()).isPositive();
    assertThat(found.size()).isEqualTo(wanted.size());
    for (int i = 0; i < wanted.size(); i++) {
      if (Double.isNaN(wanted.get(i))) {
        assertThat(found.get(i)).as("%s [%d]", what.symbol(), i).isNaN();
      } else {
        assertThat(found.get(i))
            .as("%s [%d]", what.symbol(), i)
            .isCloseTo(wanted.get(i), within(apart));
      }
    }
  }
}
