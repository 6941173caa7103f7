package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Two sequences of three positions; three experts, of which each position chooses two. */
final class EndToEndTest {
  private static final MoeBlock BLOCK = Spelling.DYNAMO.of(3, 2, 4).block();

  private static final long[] CHOSEN = {0, 1, 0, 1, 0, 1, 2, 1, 2, 1, 2, 1};

  /** Expert 0 is ahead by 0.1 in the first sequence, expert 2 by 0.00005 in the second. */
  private static final float[] SCORES = {
    0.5f, 0.3f, 0.2f, 0.5f, 0.3f, 0.2f, 0.5f, 0.3f, 0.2f,
    0.30000f, 0.4f, 0.30005f, 0.30000f, 0.4f, 0.30005f, 0.30000f, 0.4f, 0.30005f
  };

  private static Map<String, Tensor> run(long[] chosen, Tensor y) {
    return Map.of(
        "experts", Tensor.of(List.of(6L, 2L), chosen),
        "scores", Tensor.of(List.of(6L, 3L), SCORES),
        "y", y);
  }

  private static Tensor perPosition(float... y) {
    return Tensor.of(List.of(2L, 3L, 1L), y);
  }

  private static Verdict compare(Map<String, Tensor> expected, Map<String, Tensor> found) {
    EndToEnd comparison = new EndToEnd(List.of(BLOCK), List.of("y"));
    comparison.add(expected, found);
    return comparison.verdict(Map.of());
  }

  private static long[] choosing(int slot, long expert) {
    long[] chosen = CHOSEN.clone();
    chosen[slot] = expert;
    return chosen;
  }

  @Test
  void comparesEveryPositionWhereRoutingIsTheSame() {
    Verdict verdict =
        compare(
            run(CHOSEN, perPosition(1, 2, 4, 1, 1, 1)),
            run(CHOSEN, perPosition(1, 2, 4, 1, 1.5f, 1)));

    assertThat(verdict.endToEnd()).isEqualTo(0.125);
    assertThat(verdict.positions()).isEqualTo(6);
    assertThat(verdict.leftOut()).isZero();
    assertThat(verdict.flips()).isEmpty();
    assertThat(verdict.holds()).isFalse();
  }

  @Test
  void takesTheOrderOfChoicesForNoDifference() {
    long[] turned = CHOSEN.clone();
    turned[0] = 1;
    turned[1] = 0;
    Tensor y = perPosition(1, 2, 4, 1, 1, 1);

    assertThat(compare(run(CHOSEN, y), run(turned, y)).flips()).isEmpty();
  }

  @Test
  void leavesOutWhatLiesBehindAFlipOfTheSameSequence() {
    Verdict verdict =
        compare(
            run(CHOSEN, perPosition(1, 2, 4, 1, 1, 1)),
            run(choosing(8, 0), perPosition(1, 2, 4, 1, 9, 9)));

    assertThat(verdict.endToEnd()).isZero();
    assertThat(verdict.leftOut()).isEqualTo(2);
    assertThat(verdict.flips())
        .singleElement()
        .returns("experts", Verdict.Flip::block)
        .returns(4L, Verdict.Flip::position)
        .satisfies(flip -> assertThat(flip.gap()).isCloseTo(5e-5, within(1e-7)));
    assertThat(verdict.holds()).isTrue();
    assertThat(verdict.text())
        .endsWith("2 of 6 positions left out behind 1 flipped choices with gaps up to 5.0e-05");
  }

  @Test
  void comparesWhatLiesBeforeAFlip() {
    Verdict verdict =
        compare(
            run(CHOSEN, perPosition(1, 2, 4, 1, 1, 1)),
            run(choosing(8, 0), perPosition(1, 2, 4, 1.25f, 9, 9)));

    assertThat(verdict.endToEnd()).isEqualTo(0.25);
  }

  @Test
  void takesAFlipOverAWideGapForAFailure() {
    Tensor y = perPosition(1, 2, 4, 1, 1, 1);
    Verdict verdict = compare(run(CHOSEN, y), run(choosing(1, 2), y));

    assertThat(verdict.flips().get(0).gap()).isCloseTo(0.1, within(1e-6));
    assertThat(verdict.holds()).isFalse();
  }

  @Test
  void comparesOutputsWithoutPositionsOnlyIfNothingFlips() {
    Tensor right = Tensor.of(List.of(2L, 2L), 1f, 2, 3, 4);
    Tensor other = Tensor.of(List.of(2L, 2L), 1f, 2, 3, 5);

    assertThat(compare(run(CHOSEN, right), run(CHOSEN, other)).endToEnd()).isEqualTo(0.25);
    assertThat(compare(run(CHOSEN, right), run(choosing(8, 0), other)).endToEnd()).isZero();
  }

  @Test
  void addsUpRuns() {
    EndToEnd comparison = new EndToEnd(List.of(BLOCK), List.of("y"));
    Tensor y = perPosition(1, 2, 4, 1, 1, 1);
    comparison.add(run(CHOSEN, y), run(choosing(8, 0), y));
    comparison.add(run(CHOSEN, y), run(CHOSEN, perPosition(1, 2, 5, 1, 1, 1)));
    Verdict verdict = comparison.verdict(Map.of("experts", 0.5));

    assertThat(verdict).returns(12L, Verdict::positions).returns(2L, Verdict::leftOut);
    assertThat(verdict.endToEnd()).isEqualTo(0.25);
    assertThat(verdict.worstBlock()).isEqualTo(0.5);
  }

  @Test
  void countsChoicesOfModelsWithoutFloatingOutputs() {
    EndToEnd comparison = new EndToEnd(List.of(BLOCK), List.of());
    Tensor y = perPosition(1, 2, 4, 1, 1, 1);
    comparison.add(run(CHOSEN, y), run(choosing(1, 2), y));

    assertThat(comparison.verdict(Map.of()).flips()).hasSize(1);
  }
}
