package io.moneonnx.narrow;

import static io.moneonnx.narrow.DamageCurveTest.curve;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.narrow.DamageCurve.Point;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ModelCurvesTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void spendsAsWellAsAnyOtherWay(long seed) {
    Random random = new Random(seed);
    List<DamageCurve> experts = List.of(convex(random), convex(random), convex(random));
    ModelCurves curves = new ModelCurves(List.of(experts.subList(0, 2), experts.subList(2, 3)));

    for (int budget = 0; budget <= curves.bytes(); budget++) {
      ModelCurves.Widths widths = curves.model(budget);
      assertThat(widths.bytes()).isEqualTo(budget);
      assertThat(widths.damage()).isCloseTo(least(experts, budget), within(1e-12));
    }
  }

  /** Savings that fall from byte to byte. */
  private static DamageCurve convex(Random random) {
    List<Double> savings = new ArrayList<>(random.doubles(4).boxed().toList());
    Collections.sort(savings);
    double[] damages = new double[savings.size() + 1];
    for (int i = savings.size() - 1; i >= 0; i--) {
      damages[i] = damages[i + 1] + savings.get(savings.size() - 1 - i);
    }
    return curve(damages);
  }

  /** By trying all widths. */
  private static double least(List<DamageCurve> experts, long budget) {
    if (experts.isEmpty()) {
      return 0;
    }
    List<DamageCurve> others = experts.subList(1, experts.size());
    return experts.get(0).points().stream()
        .filter(point -> point.bytes() <= budget)
        .mapToDouble(point -> point.damage() + least(others, budget - point.bytes()))
        .min()
        .orElseThrow();
  }

  @Test
  void equalSavingsGoToTheLowerBlockAndExpert() {
    ModelCurves curves =
        new ModelCurves(
            List.of(List.of(curve(1, 1), curve(4, 2, 0)), List.of(curve(4, 2, 0), curve(9, 0))));

    assertThat(widths(curves.model(2))).containsExactly(0, 1, 0, 1);
    assertThat(widths(curves.model(3))).containsExactly(0, 2, 0, 1);
    assertThat(widths(curves.model(4))).containsExactly(0, 2, 1, 1);
  }

  @Test
  void whatDoesNotFitEndsItsExpertOnly() {
    DamageCurve coarse =
        new DamageCurve(List.of(new Point(0, 0, 90), new Point(1, 6, 10), new Point(2, 7, 0)));
    ModelCurves curves = new ModelCurves(List.of(List.of(coarse, curve(3, 2, 1, 0))));

    assertThat(widths(curves.model(5))).containsExactly(0, 3);
    assertThat(widths(curves.model(7))).containsExactly(2, 0);
    assertThat(widths(curves.model(9))).containsExactly(2, 2);
  }

  @Test
  void aBudgetThatHoldsAllKeepsAll() {
    ModelCurves curves = new ModelCurves(List.of(List.of(curve(0, 0, 0), curve(5, 4, 0))));

    assertThat(widths(curves.model(curves.bytes()))).containsExactly(2, 2);
    assertThat(widths(curves.model(3))).containsExactly(1, 2);
  }

  @Test
  void leastWidthsAndProtectedExpertsComeFirst() {
    ModelCurves curves =
        new ModelCurves(
            List.of(List.of(curve(9, 4, 0), curve(3, 2, 1).atLeast(1), curve(1, 1, 0).atLeast(2))));

    assertThat(curves.leastBytes()).isEqualTo(3);
    assertThat(widths(curves.model(3))).containsExactly(0, 1, 2);
    assertThat(widths(curves.model(5))).containsExactly(2, 1, 2);
    assertThatThrownBy(() -> curves.model(2))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "the experts of the model take 3 bytes at the least widths that are allowed, expected at"
                + " most 2");
  }

  @Test
  void everyBlockHasItsPartOfABudget() {
    ModelCurves curves =
        new ModelCurves(
            List.of(
                List.of(curve(9, 7, 6), curve(9, 1, 0)), List.of(curve(0.2, 0.1, 0)), List.of()));

    assertThat(widths(curves.layer(3))).containsExactly(1, 1, 1);
    assertThat(curves.layer(3).blocks()).hasSize(3);
    assertThat(widths(curves.model(3))).containsExactly(2, 1, 0);
  }

  @Test
  void aBlockMayHaveOneWidth() {
    ModelCurves curves =
        new ModelCurves(List.of(List.of(curve(9, 1, 0), curve(9, 8, 0)), List.of(curve(5, 1, 0))));

    ModelCurves uniform = curves.uniform();

    assertThat(widths(uniform.model(2))).containsExactly(1, 0);
    assertThat(widths(uniform.model(3))).containsExactly(1, 1);
    assertThat(uniform.bytes()).isEqualTo(curves.bytes());
  }

  @Test
  void forecastsTheWholeModel() {
    ModelCurves curves =
        new ModelCurves(
            List.of(List.of(curve(9, 6, 4, 3, 2.5, 2).atLeast(2), curve(4, 3, 2, 1, 0, 0))));

    assertThat(curves.forecast())
        .containsOnly(
            entry(10, 2.0),
            entry(20, 2.5),
            entry(30, 3.0),
            entry(40, 4.0),
            entry(50, 5.0),
            entry(60, 6.0),
            entry(70, 7.0),
            entry(80, 8.0));
  }

  private static List<Integer> widths(ModelCurves.Widths widths) {
    return widths.blocks().stream().flatMap(List::stream).map(Point::width).toList();
  }
}
