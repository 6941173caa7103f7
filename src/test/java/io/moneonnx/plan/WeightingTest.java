package io.moneonnx.plan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WeightingTest {
  private static final long[] CALLS = {1, 0, 11, 4};

  @Test
  void isTheBlocksSensitivityPerToken() {
    assertThat(Weighting.HOME.of(10, 5, CALLS)).containsExactly(0.02, 0, 0.02, 0.02);
  }

  @Test
  void favoursExpertsThatWereChosenSeldom() {
    assertThat(Weighting.BALANCED.of(1, 1, CALLS)).containsExactly(2, 0, Math.pow(2.75, -0.5), 1);
    assertThat(Weighting.EVEN.of(1, 1, CALLS)).containsExactly(4, 0, Math.pow(2.75, -1), 1);
  }

  @Test
  void nothingIsKnownWithoutTokens() {
    assertThat(Weighting.BALANCED.of(0, 0, new long[2])).containsOnly(0);
  }
}
