package io.moneonnx.data;

import static io.moneonnx.data.Fixtures.BATCH;
import static io.moneonnx.data.Fixtures.INPUT_IDS;
import static io.moneonnx.data.Fixtures.SEQUENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.LinkedHashMap;
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
  void whatGoesOnIsMaskedAndCountedAfterWhatWasSeen() {
    Value positions = Value.of("position_ids", ElementType.INT64, BATCH, SEQUENCE);
    Map<String, Tensor> filled =
        new FeedFiller(ModelInputs.of(Fixtures.graph(INPUT_IDS, MASK, positions)))
            .fillAfter(4, TOKENS);

    assertThat(filled.get("attention_mask").dims()).containsExactly(2L, 7L);
    assertThat(filled.get("attention_mask").toLongs()).containsOnly(1);
    assertThat(filled.get("position_ids").toLongs()).containsExactly(4, 5, 6, 4, 5, 6);
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
  void whatTheGraphGivesBackLongerIsAPastHoweverItIsCalled() {
    Graph graph =
        GraphText.parse(
            """
            cached (int64[B, S] input_ids, float[B, 2, P, 8] cache.k) => (float[B, 2, T, 8] kept.k)
            <float[32, 2, 8] keys>
            {
              found = Gather (keys, input_ids)
              own = Transpose <perm = [0, 2, 1, 3]> (found)
              kept.k = Concat <axis = -2> (cache.k, own)
            }
            """);
    Value heads =
        Value.of("cache.k", ElementType.FLOAT, BATCH, Dimension.of("2"), PAST, Dimension.of(8));
    Graph sized =
        new Graph(
            "cached",
            graph.nodes(),
            graph.initializers(),
            List.of(graph.inputs().get(0), heads),
            graph.outputs(),
            Map.of(),
            UnknownFields.NONE);

    Map<String, Tensor> filled = new FeedFiller(ModelInputs.of(sized)).fill(TOKENS);

    assertThat(filled.get("cache.k").dims()).containsExactly(2L, 2L, 0L, 8L);
    assertThat(KeyValueCache.of(sized)).contains(new KeyValueCache(Map.of("cache.k", "kept.k")));
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

  /** A past as the onnxruntime-genai builder declares it: not even the size of a head is fixed. */
  private static final Value BUILDERS_PAST =
      Value.of(
          "keys.0",
          ElementType.FLOAT16,
          BATCH,
          Dimension.of(2),
          Dimension.of("past_sliding_length"),
          Dimension.of("kv_cache_dim"));

  /** Four query heads and two of keys and values, packed: 8 heads in all. */
  private static Map<String, Tensor> fillAttention(Map<String, Attribute> window, long width) {
    Map<String, Attribute> attributes = new LinkedHashMap<>(window);
    attributes.put("num_heads", Attribute.of(4));
    attributes.put("kv_num_heads", Attribute.of(2));
    Node projection = Node.of("MatMul", List.of("x", "weight"), List.of("packed"), Map.of());
    Node attention =
        Node.of(
            "GroupQueryAttention",
            List.of("packed", "", "", "keys.0", "values.0"),
            List.of("y"),
            attributes);
    Tensor weight = Elements.zeros(ElementType.FLOAT, List.of(3L, width));
    return new FeedFiller(
            ModelInputs.of(
                Fixtures.graph(
                    List.of(projection, attention),
                    Map.of("weight", Initializer.of("weight", weight)),
                    INPUT_IDS,
                    MASK,
                    BUILDERS_PAST)))
        .fill(TOKENS);
  }

  private static Map<String, Attribute> window(long size, long keepsNoMore) {
    return Map.of(
        "local_window_size", Attribute.of(size), "sliding_window_cache", Attribute.of(keepsNoMore));
  }

  @Test
  void aPastOfGroupQueryAttentionIsKnownByItsUseAndHasTheHeadSizeOfItsProjection() {
    Tensor past = fillAttention(Map.of(), 8 * 16).get("keys.0");
    assertThat(past.type()).isEqualTo(ElementType.FLOAT16);
    assertThat(past.dims()).containsExactly(2L, 2L, 0L, 16L);
  }

  @Test
  void aPastThatKeepsOnlyAWindowIsAsLongAsTheWindowAndTheMaskDoesNotCountIt() {
    Map<String, Tensor> feeds = fillAttention(window(32, 1), 8 * 16);
    assertThat(feeds.get("keys.0").dims()).containsExactly(2L, 2L, 32L, 16L);
    assertThat(feeds.get("attention_mask").dims()).containsExactly(2L, 3L);
    assertThat(feeds.get("attention_mask").toLongs()).containsOnly(1);
  }

  @Test
  void aWindowOverAPastThatKeepsEverythingLeavesItEmpty() {
    assertThat(fillAttention(window(32, 0), 8 * 16).get("keys.0").dims())
        .containsExactly(2L, 2L, 0L, 16L);
  }

  @Test
  void aHeadSizeThatIsNowhereIsNotGuessed() {
    assertThatThrownBy(() -> fillAttention(Map.of(), 8 * 16 + 1))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("'keys.0' float16[batch, 2, past_sliding_length, kv_cache_dim]")
        .hasMessageContaining("its head size is unknown");
  }

  @Test
  void aStateOfLinearAttentionHidesNoTokens() {
    Value state =
        Value.of(
            "past_key_values.0.conv_state",
            ElementType.FLOAT,
            BATCH,
            Dimension.of(6),
            Dimension.of(4));
    Map<String, Tensor> feeds = fill(INPUT_IDS, MASK, state);
    assertThat(feeds.get("past_key_values.0.conv_state").dims()).containsExactly(2L, 6L, 4L);
    assertThat(feeds.get("attention_mask").dims()).containsExactly(2L, 3L);
  }

  @Test
  void textHasTheSamePositionsOnEveryAxis() {
    Value positions = Value.of("position_ids", ElementType.INT64, Dimension.of(3), BATCH, SEQUENCE);
    Tensor filled = fill(INPUT_IDS, positions).get("position_ids");
    assertThat(filled.dims()).containsExactly(3L, 2L, 3L);
    assertThat(filled.toLongs()).startsWith(0, 1, 2, 0, 1, 2, 0).endsWith(1, 2);
  }
}
