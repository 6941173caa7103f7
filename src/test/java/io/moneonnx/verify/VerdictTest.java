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
}
