package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DifferenceTest {
  private static double between(float[] a, float... b) {
    return Difference.relative(
        Tensor.of(List.of((long) a.length), a), Tensor.of(List.of((long) b.length), b));
  }

  private static float[] of(float... values) {
    return values;
  }

  @Test
  void isRelativeToTheLargestElement() {
    assertThat(between(of(1, 0, -8), 2, 0, -8)).isEqualTo(0.125);
    assertThat(between(of(1, 0, -7), 2, 0, -8)).isEqualTo(0.125);
    assertThat(between(of(1, 2), 1, 2)).isZero();
    assertThat(between(of(0, -0f), 0, 0)).isZero();
  }

  @Test
  void isInfiniteWhereOneIsNotFinite() {
    assertThat(between(of(Float.NaN), 1)).isInfinite();
    assertThat(between(of(1), Float.NaN)).isInfinite();
    assertThat(between(of(Float.POSITIVE_INFINITY), 1)).isInfinite();
    assertThat(between(of(Float.POSITIVE_INFINITY), Float.NEGATIVE_INFINITY)).isInfinite();
    assertThat(between(of(1, 3), Float.POSITIVE_INFINITY, 3)).isInfinite();
  }

  @Test
  void isNoneWhereBothAreTheSameAndNotFinite() {
    assertThat(between(of(Float.NaN, 1), Float.NaN, 1)).isZero();
    assertThat(between(of(Float.POSITIVE_INFINITY), Float.POSITIVE_INFINITY)).isZero();
  }

  @Test
  void isRelativeToTheLargestFiniteElement() {
    float infinity = Float.NEGATIVE_INFINITY;

    assertThat(between(of(infinity, 1, 4), infinity, 2, 4)).isEqualTo(0.25);
    assertThat(between(of(Float.NaN, 1, 4), Float.NaN, 2, 4)).isEqualTo(0.25);
  }

  @Test
  void isTakenRowByRow() {
    assertThat(byRow(of(8, 0, 1, 0), 8, 0, 2, 0)).isEqualTo(0.5);
    assertThat(byRow(of(8, Float.NaN, 1, 0), 8, Float.NaN, 2, 0)).isEqualTo(0.5);
    assertThat(byRow(of(8, 0, 1, Float.NEGATIVE_INFINITY), 8, 0, 2, Float.NEGATIVE_INFINITY))
        .isEqualTo(0.5);
    assertThat(byRow(of(8, 0, 1, 0), 8, 0, 2, Float.NaN)).isInfinite();
  }

  private static double byRow(float[] a, float... b) {
    List<Long> dims = List.of(2L, 2L);
    return Difference.byRow(Tensor.of(dims, a), Tensor.of(dims, b));
  }

  @Test
  void isInfiniteBetweenShapes() {
    assertThat(
            Difference.relative(Tensor.of(List.of(2L, 1L), 1f, 2), Tensor.of(List.of(2L), 1f, 2)))
        .isInfinite();
  }

  @Test
  void isAllOrNothingForWhatIsNoFloat() {
    assertThat(Difference.relative(Tensor.vector(1, 2), Tensor.vector(1, 2))).isZero();
    assertThat(Difference.relative(Tensor.vector(1, 2), Tensor.vector(1, 3))).isInfinite();
    assertThat(Difference.relative(Tensor.vector(0), Tensor.of(List.of(1L), 0f))).isInfinite();
  }

  @Test
  void isTakenOverRowsOfSequences() {
    Tensor batch = Tensor.of(List.of(2L, 2L, 2L), 0f, 1, 2, 3, 4, 5, 6, 7);

    assertThat(Difference.part(batch, 1, 2)).isEqualTo(Tensor.of(List.of(2L, 2L), 2f, 3, 4, 5));
  }
}
