package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class PaddingTest {
  private static final Tensor EVERY_TOKEN = Tensor.of(List.of(1L), 1f);

  @Test
  void isWhatTheMaskHides() {
    Tensor mask = Tensor.of(List.of(2L, 3L), 0L, 1, 1, 1, 1, 0);

    assertThat(Padding.INPUT.valid(Map.of("attention_mask", mask)))
        .isEqualTo(Tensor.of(List.of(6L), 0f, 1, 1, 1, 1, 0));
  }

  @Test
  void isReadBehindThePastThatTheMaskCoversToo() {
    Tensor mask = Tensor.of(List.of(2L, 4L), 1L, 0, 1, 0, 0, 0, 1, 1);
    Tensor tokens = Tensor.of(List.of(2L, 2L), 5L, 6, 7, 8);

    assertThat(Padding.INPUT.valid(Map.of("attention_mask", mask, "input_ids", tokens)))
        .isEqualTo(Tensor.of(List.of(4L), 1f, 0, 1, 1));
  }

  @Test
  void isNoneWhereNothingIsHidden() {
    Tensor ones = Tensor.of(List.of(2L, 2L), 1L, 1, 1, 1);
    Tensor additive = Tensor.of(List.of(2L, 2L), 0f, 0, 0, 0);
    Tensor causal = Tensor.of(List.of(1L, 1L, 2L, 2L), 1L, 0, 1, 1);

    assertThat(Padding.INPUT.valid(Map.of())).isEqualTo(EVERY_TOKEN);
    for (Tensor mask : List.of(ones, additive, causal)) {
      assertThat(Padding.INPUT.valid(Map.of("attention_mask", mask))).isEqualTo(EVERY_TOKEN);
    }
  }

  @Test
  void isToldForEachOfTwoSequences() {
    Tensor mask = Tensor.of(List.of(1L, 3L), 1L, 1, 0);
    Tensor decoderMask = Tensor.of(List.of(1L, 2L), 0L, 1);
    Map<String, Tensor> feeds =
        Map.of("attention_mask", mask, "decoder_attention_mask", decoderMask);

    assertThat(Padding.INPUT.valid(feeds)).isEqualTo(Tensor.of(List.of(3L), 1f, 1, 0));
    assertThat(Padding.DECODER.valid(feeds)).isEqualTo(Tensor.of(List.of(2L), 0f, 1));
  }

  @Test
  void wantsAMaskForEveryToken() {
    Tensor mask = Tensor.of(List.of(1L, 2L), 1L, 0);
    Tensor tokens = Tensor.of(List.of(1L, 3L), 5L, 6, 7);

    assertThatThrownBy(
            () -> Padding.INPUT.valid(Map.of("attention_mask", mask, "input_ids", tokens)))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "'attention_mask' [1, 2] hides or shows fewer tokens than 'input_ids' has, 3 a sequence");
  }
}
