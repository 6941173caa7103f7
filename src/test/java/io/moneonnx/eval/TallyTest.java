package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TallyTest {
  @Test
  void theBootstrapGivesTheSameEachTime() {
    assertThat(new Tally(400, 300).estimate()).isEqualTo(new Tally(400, 300).estimate());
  }

  @Test
  void theBootstrapErrorIsNearTheClosedForm() {
    Tally tally = new Tally(400, 300);

    assertThat(tally.closedError()).isCloseTo(Math.sqrt(0.75 * 0.25 / 399), within(1e-15));
    assertThat(tally.estimate().standardError())
        .isCloseTo(tally.closedError(), within(0.1 * tally.closedError()));
  }

  @Test
  void whereAllAreRightNothingSpreads() {
    assertThat(new Tally(7, 7).estimate()).isEqualTo(new Estimate(1, 0));
  }

  @Test
  void theClosedFormOfOneItemIsNotKnown() {
    assertThat(new Tally(1, 1).closedError()).isNaN();
  }
}
