package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.data.UnmaskedTokens;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** One sequence of the tokens 0, 1, 2, of a vocabulary of three. */
final class PositionsTest {
  private static final Logits LOGITS = logits(3);

  private static Logits logits(long vocabulary) {
    return new Logits(
        "logits", ElementType.FLOAT, Optional.of("input_ids"), OptionalLong.of(vocabulary));
  }

  private static List<Position> positions(Logits logits, int length, long... mask) {
    Map<String, Tensor> feeds = new HashMap<>();
    feeds.put("input_ids", Tensor.of(List.of(1L, 3L), 0L, 1, 2));
    if (mask.length > 0) {
      feeds.put("attention_mask", Tensor.of(List.of(1L, 3L), mask));
    }
    float[] scores = new float[3 * length];
    for (int i = 0; i < length; i++) {
      scores[3 * i + 2] = i + 1; // the position tells itself apart
    }
    Map<String, Tensor> run = Map.of("logits", Tensor.of(List.of(1L, (long) length, 3L), scores));
    return Positions.of(logits, feeds, UnmaskedTokens.of(feeds, "input_ids")).compared(run, run);
  }

  private static double[] losses(Logits logits, int length, long... mask) {
    return positions(logits, length, mask).stream().mapToDouble(Position::loss).toArray();
  }

  private static double loss(int position, int token) {
    double score = position + 1;
    return Math.log(2 + Math.exp(score)) - (token == 2 ? score : 0);
  }

  @Test
  void eachButTheLastForeseesTheNextToken() {
    List<Position> found = positions(LOGITS, 3);

    assertThat(found).extracting(Position::isForeseen).containsExactly(true, true, false);
    assertThat(losses(LOGITS, 3))
        .containsExactly(new double[] {loss(0, 1), loss(1, 2), 0}, within(1e-12));
  }

  @Test
  void whatAMaskHidesIsNeitherComparedNorForeseen() {
    assertThat(losses(LOGITS, 3, 1, 1, 0))
        .containsExactly(new double[] {loss(0, 1), 0}, within(1e-12));
    assertThat(losses(LOGITS, 3, 0, 1, 1))
        .containsExactly(new double[] {loss(1, 2), 0}, within(1e-12));
  }

  @Test
  void logitsOfTheLastPositionsAloneAreAboutTheLastTokens() {
    assertThat(positions(LOGITS, 1)).extracting(Position::isForeseen).containsExactly(false);
    assertThat(losses(LOGITS, 2)).containsExactly(new double[] {loss(0, 2), 0}, within(1e-12));
  }

  @Test
  void withoutTokensAllPositionsAreComparedAndNothingIsForeseen() {
    Logits unknown =
        new Logits("logits", ElementType.FLOAT, Optional.empty(), OptionalLong.empty());

    assertThat(positions(unknown, 3, 1, 1, 0))
        .extracting(Position::isForeseen)
        .containsExactly(false, false, false);
  }

  @Test
  void aTokenThatHasNoScoreIsNamed() {
    Map<String, Tensor> feeds = Map.of("input_ids", Tensor.of(List.of(1L, 2L), 0L, 3));
    Map<String, Tensor> run = Map.of("logits", Tensor.of(List.of(1L, 2L, 3L), new float[6]));

    assertThatThrownBy(
            () ->
                Positions.of(LOGITS, feeds, UnmaskedTokens.of(feeds, "input_ids"))
                    .compared(run, run))
        .isInstanceOf(BadInputException.class)
        .hasMessage("token id 3, but 'logits' scores ids below 3");
  }

  @Test
  void logitsThatCannotBeHeldAreRefusedWithALengthThatCan() {
    Map<String, Tensor> feeds =
        Map.of("input_ids", Tensor.of(List.of(2L, 4096L), new long[2 * 4096]));

    logits(65_535).requireRoom(feeds);
    assertThatThrownBy(() -> logits(151_936).requireRoom(feeds))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "'logits' of 2 x 4096 tokens take 4.6 GiB, more than the 2 GiB that a run can give:"
                + " --seq-len 1766 does");
  }
}
