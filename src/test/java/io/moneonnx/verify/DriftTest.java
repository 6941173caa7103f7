package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class DriftTest {
  private static final float A = (float) Math.log(0.5);
  private static final float B = (float) Math.log(0.25);

  private static Tensor logits(float... values) {
    return Tensor.of(List.of(1L, values.length / 3L, 3L), values);
  }

  private static Drift drift(Tensor before, Tensor after) {
    Drift.Meter meter = new Drift.Meter(Optional.of("logits"));
    meter.add(Map.of("logits", before), Map.of("logits", after));
    return meter.drift();
  }

  @Test
  void isTheMeanDivergenceOfTheDistributions() {
    // sum p (log p - log q) = 0.5 log 2 - 0.25 log 2 at the first position, 0 at the second
    Drift drift = drift(logits(A, B, B, A, B, B), logits(B, A, B, A, B, B));

    assertThat(drift.divergence()).isCloseTo(0.125 * Math.log(2), within(1e-7));
    assertThat(drift.agreement()).isEqualTo(0.5);
    assertThat(drift.positions()).isEqualTo(2);
  }

  @Test
  void doesNotSeeWhatAllLogitsHaveInCommon() {
    Drift drift = drift(logits(A, B, B), logits(A + 300, B + 300, B + 300));

    assertThat(drift.divergence()).isCloseTo(0, within(1e-4));
    assertThat(drift.agreement()).isEqualTo(1);
  }

  @Test
  void isTakenInTheOrderOfTheModels() {
    Drift there = drift(logits(A, B, B), logits(10, 0, 0));
    Drift back = drift(logits(10, 0, 0), logits(A, B, B));

    // against the certain one: 0.5 log 0.5 + 0.5 log 0.25 + 0.5 * 10 + log (1 + 2 e^-10)
    double wanted = 1.5 * Math.log(0.5) + 5 + Math.log1p(2 * Math.exp(-10));
    assertThat(there.divergence()).isCloseTo(wanted, within(1e-6));
    assertThat(back.divergence()).isCloseTo(Math.log(2), within(1e-3));
  }

  @Test
  void averagesOverThePositionsOfAllRuns() {
    Drift.Meter meter = new Drift.Meter(Optional.of("logits"));
    meter.add(Map.of("logits", logits(A, B, B)), Map.of("logits", logits(B, A, B)));
    Tensor same = logits(A, B, B, A, B, B, A, B, B);
    meter.add(Map.of("logits", same), Map.of("logits", same));
    Drift drift = meter.drift();

    assertThat(drift.positions()).isEqualTo(4);
    assertThat(drift.agreement()).isEqualTo(0.75);
    assertThat(drift.divergence()).isCloseTo(0.0625 * Math.log(2), within(1e-7));
  }

  @Test
  void keepsTheLargestErrorOfEachOutput() {
    Drift.Meter meter = new Drift.Meter(Optional.empty());
    Tensor y = Tensor.of(List.of(2L), 1f, -4);
    meter.add(Map.of("y", y), Map.of("y", Tensor.of(List.of(2L), 1f, -3)));
    meter.add(Map.of("y", y), Map.of("y", Tensor.of(List.of(2L), 1.5f, -4)));

    assertThat(meter.drift().relativeErrors()).containsExactly(Map.entry("y", 0.25));
  }

  @Test
  void hasNoDivergenceWithoutLogits() {
    Drift.Meter meter = new Drift.Meter(Optional.empty());
    Tensor hidden = Tensor.of(List.of(1L, 2L, 2L), 1f, 2, 3, 4);
    meter.add(Map.of("hidden", hidden), Map.of("hidden", hidden));

    assertThat(meter.drift()).isEqualTo(new Drift(Map.of("hidden", 0.0), 0, 1, 0));
  }
}
