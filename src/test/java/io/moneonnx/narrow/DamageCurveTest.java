package io.moneonnx.narrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.narrow.DamageCurve.Point;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DamageCurveTest {
  private static final RemovalOrder ORDER =
      RemovalOrder.of(new int[] {3, 1, 0, 2}, new double[] {9, 8, 3, 2, 0});

  @Test
  void hasAPointEveryStep() {
    assertThat(DamageCurve.of(ORDER, 2, 10, 0.5).points())
        .containsExactly(new Point(0, 0, 4.5), new Point(2, 20, 1.5), new Point(4, 40, 0));
  }

  @Test
  void hullLeavesOutWhatIsAboveItAndKeepsWhatIsOnIt() {
    assertThat(DamageCurve.of(ORDER, 1, 1, 1).hull())
        .containsExactly(new Point(0, 0, 9), new Point(2, 2, 3), new Point(4, 4, 0));
    assertThat(curve(8, 6, 4, 2).hull()).isEqualTo(curve(8, 6, 4, 2).points());
    assertThat(curve(0, 0, 0).hull()).hasSize(3);
    assertThat(curve(7).hull()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"1024, 16", "96, 16", "1408, 16", "24, 4", "16, 4", "100, 4", "6, 1", "7, 1", "1, 1"})
  void stepsByWhatKernelsLike(int inner, int step) {
    assertThat(DamageCurve.step(inner)).isEqualTo(step);
  }

  @Test
  void stepsMustDivide() {
    assertThatThrownBy(() -> DamageCurve.of(ORDER, 3, 10, 1))
        .isInstanceOf(BadInputException.class)
        .hasMessage("step 3: expected a divisor of 4, the neurons of an expert");
  }

  @Test
  void widthsCanBeBoundBelow() {
    DamageCurve curve = DamageCurve.of(ORDER, 2, 10, 1);

    assertThat(curve.atLeast(1).points()).extracting(Point::width).containsExactly(2, 4);
    assertThat(curve.atLeast(99).points()).containsExactly(curve.whole());
    assertThat(curve.atLeast(0)).isEqualTo(curve);
  }

  @Test
  void expertsOfOneWidthHaveTheWidthsOfAll() {
    DamageCurve sum =
        DamageCurve.sum(List.of(curve(8, 3, 0), curve(5, 1, 0), curve(9, 9, 0).atLeast(1)));

    assertThat(sum.points()).containsExactly(new Point(1, 3, 13), new Point(2, 6, 0));
  }

  @Test
  void damageMustNotRise() {
    assertThatThrownBy(() -> curve(1, 2)).isInstanceOf(IllegalArgumentException.class);
  }

  /** A byte a neuron. */
  static DamageCurve curve(double... damages) {
    return new DamageCurve(
        IntStream.range(0, damages.length)
            .mapToObj(width -> new Point(width, width, damages[width]))
            .toList());
  }
}
