package io.moneonnx.data;

import static io.moneonnx.data.Fixtures.BATCH;
import static io.moneonnx.data.Fixtures.INPUT_IDS;
import static io.moneonnx.data.Fixtures.SEQUENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FeedFillerTest {
  private static final Value MASK = Value.of("attention_mask", ElementType.INT64, BATCH, SEQUENCE);
  private static final Dimension PAST = Dimension.of("past");
  private static final Map<String, Tensor> TOKENS =
      Map.of("input_ids", Tensor.of(List.of(2L, 3L), 1L, 2L, 3L, 4L, 5L, 6L));

  private static Map<String, Tensor> fill(Value... inputs) {
    return new FeedFiller(ModelInputs.of(Fixtures.graph(inputs))).fill(TOKENS);
  }

  @Test
  void keepsWhatIsGiven() {
    assertThat(fill(INPUT_IDS)).isEqualTo(TOKENS);
  }

  @Test
  void everyTokenIsAttendedTo() {
    Tensor mask = fill(INPUT_IDS, MASK).get("attention_mask");
    assertThat(mask.dims()).containsExactly(2L, 3L);
    assertThat(mask.toLongs()).containsOnly(1);
  }

  @Test
  void aMaskHasTheTypeThatTheModelDeclares() {
    Value mask = Value.of("attention_mask", ElementType.FLOAT, BATCH, SEQUENCE);
    assertThat(fill(INPUT_IDS, mask).get("attention_mask").toFloats()).containsOnly(1f);
  }

  @Test
  void positionsCountFromZeroInEachRow() {
    Value positions = Value.of("position_ids", ElementType.INT64, BATCH, SEQUENCE);
    assertThat(fill(INPUT_IDS, positions).get("position_ids").toLongs())
        .containsExactly(0, 1, 2, 0, 1, 2);
  }

  @Test
  void pastsAreEmptyInTheOpenDimension() {
    Value past =
        Value.of(
            "past_key_values.0.key",
            ElementType.FLOAT16,
            BATCH,
            Dimension.of(4),
            PAST,
            Dimension.of(8));
    Tensor filled = fill(INPUT_IDS, past).get("past_key_values.0.key");
    assertThat(filled.type()).isEqualTo(ElementType.FLOAT16);
    assertThat(filled.dims()).containsExactly(2L, 4L, 0L, 8L);
  }

  @Test
  void aPastOfFixedLengthIsZeroAndHidden() {
    Value past =
        Value.of(
            "past_key_values.0.key",
            ElementType.FLOAT,
            Dimension.of(2),
            Dimension.of(1),
            Dimension.of(2),
            Dimension.of(1));
    Map<String, Tensor> feeds = fill(INPUT_IDS, MASK, past);
    assertThat(feeds.get("past_key_values.0.key").toFloats()).containsExactly(0, 0, 0, 0);
    assertThat(feeds.get("attention_mask").toLongs()).containsExactly(0, 0, 1, 1, 1, 0, 0, 1, 1, 1);
  }

  @Test
  void aPastOfUnknownHeadSizeCannotBeMadeUp() {
    Value past =
        Value.of(
            "past_key_values.0.key",
            ElementType.FLOAT,
            BATCH,
            Dimension.of(4),
            PAST,
            Dimension.of("head"));
    assertThatThrownBy(() -> fill(INPUT_IDS, past))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'past_key_values.0.key' float[batch, 4, past, head]")
        .hasMessageContaining("cannot be made up");
  }

  @Test
  void anInputThatNobodyFeedsIsNamed() {
    Value image = Value.of("pixels", ElementType.FLOAT, BATCH, Dimension.of(3));
    assertThatThrownBy(() -> fill(INPUT_IDS, image))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "the model's input 'pixels' float[batch, 3] is not fed: "
                + "give an array 'pixels' in a .npz file");
  }

  @Test
  void tokenTypesAreNotGuessed() {
    Value types = Value.of("token_type_ids", ElementType.INT64, BATCH, SEQUENCE);
    assertThatThrownBy(() -> fill(INPUT_IDS, types)).hasMessageContaining("'token_type_ids'");
  }
}
