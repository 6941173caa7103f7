package io.moneonnx.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Dimension;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeyValueCacheTest {
  private static final Value KEY = state("past_key_values.0.key");
  private static final Value VALUE = state("past_key_values.0.value");

  private static Value state(String name) {
    return Value.of(
        name,
        ElementType.FLOAT,
        Dimension.of("batch"),
        Dimension.of(1),
        Dimension.of("past"),
        Dimension.of(2));
  }

  private static Optional<KeyValueCache> cache(List<Value> pasts, String... outputs) {
    Value[] inputs =
        Stream.concat(Stream.of(Fixtures.INPUT_IDS), pasts.stream()).toArray(Value[]::new);
    Graph graph = Fixtures.graph(inputs);
    return KeyValueCache.of(
        graph.withOutputs(Stream.of(outputs).map(KeyValueCacheTest::state).toList()));
  }

  @Test
  void eachPastIsWhatTheOutputOfItsNameGave() {
    assertThat(cache(List.of(KEY, VALUE), "logits", "present.0.key", "present.0.value"))
        .contains(
            new KeyValueCache(
                Map.of(
                    "past_key_values.0.key", "present.0.key",
                    "past_key_values.0.value", "present.0.value")));
  }

  @Test
  void aModelThatKeepsNothingHasNone() {
    assertThat(cache(List.of(), "logits")).isEmpty();
  }

  @Test
  void aPastThatIsNotGivenBackMakesTheOthersUseless() {
    assertThat(cache(List.of(KEY, VALUE), "present.0.key")).isEmpty();
  }

  @Test
  void aPastOfFixedLengthTakesNoLongerOne() {
    Value fixed =
        Value.of(
            KEY.name(),
            ElementType.FLOAT,
            Dimension.of("batch"),
            Dimension.of(1),
            Dimension.of(8),
            Dimension.of(2));

    assertThat(cache(List.of(fixed), "present.0.key")).isEmpty();
  }

  @Test
  void everySequenceGoesOnFromTheSamePast() {
    KeyValueCache cache = cache(List.of(KEY), "present.0.key").orElseThrow();
    Tensor kept = Tensor.of(List.of(1L, 1L, 2L, 2L), 1f, 2f, 3f, 4f);

    Tensor past = cache.pasts(Map.of("present.0.key", kept), 2).get("past_key_values.0.key");

    assertThat(past.dims()).containsExactly(2L, 1L, 2L, 2L);
    assertThat(past.toFloats()).containsExactly(1, 2, 3, 4, 1, 2, 3, 4);
  }
}
