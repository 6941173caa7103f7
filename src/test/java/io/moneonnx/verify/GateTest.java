package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class GateTest {
  private static final Drift DRIFT = drift(0.25, 4, 5);

  /** Relative errors 0.5 of {@code y} and 0.125 of {@code z}, agreement 0.75. */
  private static Drift drift(double divergence, double before, double after) {
    Map<String, Distance> outputs = new LinkedHashMap<>();
    outputs.put("z", Distance.of(new double[] {8}, new double[] {7}));
    outputs.put("y", Distance.of(new double[] {2}, new double[] {1}));
    Predictions predictions =
        new Predictions(
            8, divergence, 1, 2, 0.75, Optional.of(new Predictions.Perplexities(7, before, after)));
    return new Drift(outputs, Optional.of(predictions), Map.of());
  }

  @ParameterizedTest
  @CsvSource({
    "DIVERGENCE, 0.25, true",
    "DIVERGENCE, 0.2499, false",
    "AGREEMENT, 0.75, true",
    "AGREEMENT, 0.7501, false",
    "INCREASE, 0.25, true",
    "INCREASE, 0.2499, false",
    "ERROR, 0.5, true",
    "ERROR, 0.4999, false",
  })
  void holdsUpToItsBound(Gate.Measure measure, double bound, boolean holds) {
    assertThat(new Gate(measure, bound).check("total", DRIFT).holds()).isEqualTo(holds);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "DIVERGENCE | 0.01 | total: mean KL divergence: found 0.25 nats, expected at most 0.01 nats",
        "AGREEMENT | 0.999 | total: same first token: found 75%, expected at least 99.9%",
        "INCREASE | 0.02 | total: perplexity increase: found 25%, expected at most 2%",
        "ERROR | 1E-7 | total: relative error of output 'y': found 0.5, expected at most 0.0000001",
      })
  void saysWhatWasFoundAndWanted(Gate.Measure measure, double bound, String text) {
    assertThat(new Gate(measure, bound).check("total", DRIFT).text()).isEqualTo(text);
  }

  @Test
  void doesNotHoldWhereNothingIsDefined() {
    double infinity = Double.POSITIVE_INFINITY;
    Drift broken = drift(infinity, infinity, infinity);

    assertThat(new Gate(Gate.Measure.DIVERGENCE, 9).check("total", broken).holds()).isFalse();
    Gate.Outcome increase = new Gate(Gate.Measure.INCREASE, 9).check("total", broken);
    assertThat(increase.holds()).isFalse();
    assertThat(increase.text())
        .isEqualTo("total: perplexity increase: found no finite number, expected at most 900%");
  }

  @ParameterizedTest
  @EnumSource(names = {"DIVERGENCE", "AGREEMENT", "INCREASE"})
  void cannotBeAskedWhereNoTokenCounts(Gate.Measure measure) {
    Drift silent = new Drift(DRIFT.outputs(), Optional.empty(), Map.of());

    assertThatThrownBy(() -> new Gate(measure, 0.5).check("prose", silent))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("prose: there is no " + measure);
  }
}
