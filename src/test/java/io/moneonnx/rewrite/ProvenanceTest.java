package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.rewrite.Provenance.Gone;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ProvenanceTest {
  private static final Model MODEL = Spelling.DYNAMO.of(4, 2, 4).model();

  private static Model with(Change change) {
    return Provenance.with(MODEL, List.of(new Provenance.Target("experts", 4, change, "novices")));
  }

  @Test
  void readsWhichExpertsWereReplaced() {
    SortedMap<Integer, float[]> novices = new TreeMap<>(Map.of(3, new float[4], 1, new float[4]));

    assertThat(Provenance.gone(with(Replacement.byNovices(novices))))
        .contains(Map.of("experts", new Gone(Set.of(1, 3), Set.of())));
  }

  @Test
  void readsWhichExpertsTheRouterLost() {
    assertThat(Provenance.gone(with(new Removal(new TreeSet<>(Set.of(0, 2))))))
        .contains(Map.of("experts", new Gone(Set.of(), Set.of(0, 2))));
  }

  @Test
  void knowsNothingOfOtherModels() {
    assertThat(Provenance.gone(MODEL)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "7",
        "{",
        "{}",
        "{\"targets\": 7}",
        "{\"targets\": {\"b\": {}}}",
        "{\"targets\": {\"b\": {\"replacements\": {\"first\": {}}}}}",
        "{\"targets\": {\"b\": {\"replacements\": {}, \"removed\": [\"a\"]}}}",
      })
  void refusesWhatCannotBeRead(String json) {
    assertThatThrownBy(() -> Provenance.gone(MODEL.withMetadata("expert_substitution", json)))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("metadata 'expert_substitution' does not say");
  }
}
