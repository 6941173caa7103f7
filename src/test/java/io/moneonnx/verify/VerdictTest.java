package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class VerdictTest {
  private static Verdict of(double block, double endToEnd, double gap) {
    return new Verdict(
        List.of(),
        Map.of("block", block),
        new Verdict.Bounds(Map.of("block", 1e-5), 1e-5, 1e-4),
        endToEnd,
        2,
        1,
        List.of(new Verdict.Flip("block", 1, gap)));
  }

  @Test
  void holdsUpToItsBounds() {
    assertThat(of(1e-5, 1e-5, 1e-4).reasons()).isEmpty();
  }

  @Test
  void doesNotHoldBeyondAnyOfThem() {
    assertThat(of(2e-5, 0, 0).reasons()).singleElement().asString().contains("off by 2.0e-05");
    assertThat(of(0, 2e-5, 0).reasons()).singleElement().asString().startsWith("outputs are off");
    assertThat(of(0, 0, 2e-4).reasons()).singleElement().asString().contains("at position 1");
  }

  @Test
  void doesNotHoldWhereNothingIsKnown() {
    assertThat(of(Double.NaN, 0, 0).wrongBlocks()).containsExactly("block");
    assertThat(of(0, Double.NaN, 0).holds()).isFalse();
    assertThat(of(0, 0, Double.NaN).holds()).isFalse();
  }

  /** The one figure that is out of bounds need not be among those that are printed. */
  @Test
  void saysWhyItDoesNotHold() {
    assertThat(of(0, 0, 0.02).text())
        .isEqualTo(
            of(0, 0, 0.00001).text().replace("1.0e-05", "0.020")
                + "; block 'block' chooses other experts at position 1, though scores are 0.020"
                + " apart, expected at most 1e-04");
  }

  @Test
  void mayBeRoundingOnlyWhereBlocksAreRight() {
    assertThat(of(0, 1e-4, 0).mayBeRounding()).isTrue();
    assertThat(of(0, 0, 1e-3).mayBeRounding()).isTrue();
    assertThat(of(0, 0, 0).mayBeRounding()).isFalse();
    assertThat(of(1e-4, 1e-4, 0).mayBeRounding()).isFalse();
    assertThat(of(0, Double.POSITIVE_INFINITY, 0).mayBeRounding()).isFalse();
  }
}
