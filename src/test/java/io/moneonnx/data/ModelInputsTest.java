package io.moneonnx.data;

import static io.moneonnx.data.Fixtures.BATCH;
import static io.moneonnx.data.Fixtures.INPUT_IDS;
import static io.moneonnx.data.Fixtures.SEQUENCE;
import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Value;
import io.moneonnx.io.OnnxReader;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModelInputsTest {
  private static final Value MASK = Value.of("attention_mask", ElementType.INT64, BATCH, SEQUENCE);

  @Test
  void theVocabularyIsTheTableThatTokensIndex() {
    assertThat(ModelInputs.of(Fixtures.languageModel(160, INPUT_IDS)).vocabulary()).hasValue(160);
  }

  @Test
  void aRealModelShowsItsVocabulary() {
    assertThat(ModelInputs.of(OnnxReader.read(Fixtures.MODEL).graph()).vocabulary()).hasValue(1024);
  }

  @Test
  void theVocabularyIsFoundBehindCastsAndReshapes() {
    List<Node> nodes =
        List.of(
            Node.of("Cast", List.of("input_ids"), List.of("narrow"), Map.of()),
            Node.of("Reshape", List.of("narrow", "shape"), List.of("flat"), Map.of()),
            Node.of("Gather", List.of("table", "flat"), List.of("hidden"), Fixtures.axis(0)));
    assertThat(ModelInputs.of(Fixtures.graph(nodes, Fixtures.table(7), INPUT_IDS)).vocabulary())
        .hasValue(7);
  }

  @Test
  void aTableIndexedAlongAnotherAxisIsNoVocabulary() {
    Node columns =
        Node.of("Gather", List.of("table", "input_ids"), List.of("columns"), Fixtures.axis(1));
    assertThat(
            ModelInputs.of(Fixtures.graph(List.of(columns), Fixtures.table(7), INPUT_IDS))
                .vocabulary())
        .isEmpty();
  }

  @Test
  void theOnlyIntegerInputThatNeedsDataTakesTheTokens() {
    Value tokens = Value.of("tokens", ElementType.INT32, BATCH, SEQUENCE);
    assertThat(ModelInputs.of(Fixtures.graph(MASK, tokens)).tokens()).contains(tokens);
  }

  @Test
  void aFloatingInputTakesNoTokens() {
    Value image = Value.of("image", ElementType.FLOAT, BATCH, Dimension.of(3));
    assertThat(ModelInputs.of(Fixtures.graph(image)).tokens()).isEmpty();
  }

  @Test
  void onlyInputsThatCannotBeFilledNeedData() {
    assertThat(ModelInputs.of(Fixtures.graph(INPUT_IDS, MASK)).wanted()).containsExactly(INPUT_IDS);
  }
}
