package io.moneonnx.verify.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Routing;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** One token, of four experts that are scored 0.1, 0.4, 0.3 and 0.2. */
final class ExpertChoicesTest {
  private static final Routing ROUTING =
      new Routing(new Choice.Indices("ids", "scores"), 2, 4, 8, "x", "router", "unknown");

  private static ExpertChoices choosing(long first, long second) {
    return new ExpertChoices(
        ROUTING,
        Map.of(
            "scores", Tensor.of(List.of(1L, 4L), 0.1f, 0.4f, 0.3f, 0.2f),
            "ids", Tensor.of(List.of(1L, 2L), first, second)));
  }

  @Test
  void theGapIsBetweenTheLowestThatWasChosenAndTheHighestThatWasNot() {
    assertThat(choosing(2, 1).gap(0)).isCloseTo(0.1, within(1e-6));
    assertThat(choosing(1, 3).gap(0)).isCloseTo(0.1, within(1e-6));
  }

  /** Such as one of experts in groups, or that other losses balance. */
  @Test
  void aRouterThatPassesOverHighScoresHasAGapTooAndNoNearTie() {
    assertThat(choosing(0, 3).gap(0)).isCloseTo(0.3, within(1e-6));
    assertThat(new GoldenReport.Flip("router", "here", choosing(0, 3).gap(0), 1e-4).isRounding())
        .isFalse();
  }

  @Test
  void theOrderOfWhatWasChosenDoesNotCount() {
    assertThat(choosing(1, 3).hash(0))
        .isEqualTo(choosing(3, 1).hash(0))
        .isNotEqualTo(choosing(3, 2).hash(0));
  }
}
