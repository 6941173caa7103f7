package io.moneonnx.data;

import static io.moneonnx.data.Fixtures.BATCH;
import static io.moneonnx.data.Fixtures.INPUT_IDS;
import static io.moneonnx.data.Fixtures.SEQUENCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RandomFeedsTest {
  private static Map<String, Tensor> make(Graph graph, List<Map<String, Tensor>> seen) {
    return RandomFeeds.of(graph, seen).orElseThrow().make(2, 50, 7);
  }

  @Test
  void tokensAreWithinTheVocabulary() {
    Tensor tokens = make(Fixtures.languageModel(5, INPUT_IDS), List.of()).get("input_ids");
    assertThat(tokens.dims()).containsExactly(2L, 50L);
    assertThat(tokens.toLongs()).containsOnly(0, 1, 2, 3, 4);
  }

  @Test
  void masksAreMadeToFit() {
    Value mask = Value.of("attention_mask", ElementType.INT64, BATCH, SEQUENCE);
    assertThat(
            make(Fixtures.languageModel(5, INPUT_IDS, mask), List.of())
                .get("attention_mask")
                .dims())
        .containsExactly(2L, 50L);
  }

  @Test
  void tokensStayWithinWhatWasSeenWhereTheVocabularyIsUnknown() {
    List<Map<String, Tensor>> seen =
        List.of(Map.of("input_ids", Tensor.of(List.of(1L, 2L), 3, 1L)));
    assertThat(make(Fixtures.graph(INPUT_IDS), seen).get("input_ids").toLongs())
        .containsOnly(0, 1, 2, 3);
  }

  @Test
  void tokensAreNotMadeUpWhereNothingIsKnown() {
    assertThat(RandomFeeds.of(Fixtures.graph(INPUT_IDS), List.of())).isEmpty();
  }

  @Test
  void floatsAreNormalAndKeepFixedDimensions() {
    Value hidden =
        Value.of("hidden", ElementType.FLOAT, Dimension.of(1), SEQUENCE, Dimension.of(64));
    Tensor made = make(Fixtures.graph(hidden), List.of()).get("hidden");
    assertThat(made.dims()).containsExactly(1L, 50L, 64L);
    double sum = 0;
    double squares = 0;
    for (float value : made.toFloats()) {
      sum += value;
      squares += value * value;
    }
    assertThat(sum / 3200).isBetween(-0.1, 0.1);
    assertThat(squares / 3200).isBetween(0.9, 1.1);
  }

  @Test
  void theSameSeedMakesTheSameFeeds() {
    Graph graph = Fixtures.languageModel(5, INPUT_IDS);
    assertThat(make(graph, List.of())).isEqualTo(make(graph, List.of()));
  }

  @Test
  void embeddedTokensAreRandomAndWhatFollowsFromThemIsFilled() {
    Value embedded =
        Value.of("inputs_embeds", ElementType.FLOAT16, BATCH, SEQUENCE, Dimension.of(8));
    Value mask = Value.of("attention_mask", ElementType.INT64, BATCH, SEQUENCE);
    Map<String, Tensor> made = make(Fixtures.graph(embedded, mask), List.of());
    assertThat(made.get("inputs_embeds").dims()).containsExactly(2L, 50L, 8L);
    assertThat(made.get("attention_mask").dims()).containsExactly(2L, 50L);
  }
}
