package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.data.ChoiceItem;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerTest {
  private static Answer answer(int label, List<String> choices, Double... likelihoods) {
    List<String> contexts = choices.stream().map(choice -> "So").toList();
    return new Answer(
        new ChoiceItem("f:1", contexts, choices, " ", label, "g"), List.of(likelihoods));
  }

  @Test
  void theLikeliestIsChosenAndByLengthTheLikeliestForItsLength() {
    Answer answer = answer(1, List.of("no", "certainly"), -4.0, -9.0);

    assertThat(answer.chosen()).isZero();
    assertThat(answer.chosenByLength()).isEqualTo(1);
    assertThat(answer.isRight()).isFalse();
    assertThat(answer.isRightByLength()).isTrue();
  }

  @Test
  void ofTiesTheFirstIsChosen() {
    Answer answer = answer(1, List.of("no", "so", "do"), -3.0, -2.0, -2.0);

    assertThat(answer.chosen()).isEqualTo(1);
    assertThat(answer.chosenByLength()).isEqualTo(1);
  }

  @Test
  void lengthsAreInCharactersNotBytes() {
    Answer answer = answer(0, List.of("abc", "é🙂"), -3.0, -2.5);

    assertThat(answer.chosenByLength()).isZero();
  }
}
