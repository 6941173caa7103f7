package io.moneonnx.rewrite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.moe.NarrowExpert;
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
    return with(MODEL, change, "novices");
  }

  private static Model with(Model model, Change change, String novices) {
    return Provenance.with(model, List.of(new Provenance.Target("experts", 4, change, novices)));
  }

  @Test
  void readsWhichExpertsWereReplaced() {
    SortedMap<Integer, float[]> novices = new TreeMap<>(Map.of(3, new float[4], 1, new float[4]));

    assertThat(Provenance.gone(with(Replacement.byNovices(novices))))
        .contains(
            Map.of(
                "experts",
                new Gone(
                    new TreeMap<>(Map.of(1, "novices", 3, "novices")),
                    new TreeSet<>(),
                    new TreeMap<>())));
  }

  @Test
  void readsWhichExpertsTheRouterLost() {
    assertThat(Provenance.gone(with(new Removal(new TreeSet<>(Set.of(0, 2))))))
        .contains(
            Map.of(
                "experts",
                new Gone(new TreeMap<>(), new TreeSet<>(Set.of(0, 2)), new TreeMap<>())));
  }

  @Test
  void tellsOfAllRunsTogether() {
    Model once = with(MODEL, Replacement.byNovices(Map.of(3, new float[4])), "first");
    Model twice = with(once, Replacement.byNovices(Map.of(1, new float[4])), "");
    Model thrice = with(twice, new Removal(new TreeSet<>(Set.of(0))), "");

    assertThat(Provenance.gone(thrice))
        .contains(
            Map.of(
                "experts",
                new Gone(
                    new TreeMap<>(Map.of(1, "", 3, "first")),
                    new TreeSet<>(Set.of(0)),
                    new TreeMap<>())));
    assertThat(thrice.metadata().get("expert_substitution"))
        .contains("\"preserve_router_weights\":false", "\"num_logical_experts\":4");
  }

  @Test
  void forgetsTheWidthOfAnExpertThatGoes() {
    NarrowExpert narrow = new NarrowExpert(new int[] {1, 2}, new float[8]);
    Model once = with(MODEL, Replacement.byNarrow(Map.of(0, narrow, 2, narrow)), "");

    assertThat(Provenance.gone(once).orElseThrow().get("experts").widths())
        .isEqualTo(Map.of(0, 2, 2, 2));
    assertThat(
            Provenance.gone(with(once, Replacement.byNovices(Map.of(2, new float[4])), "n"))
                .orElseThrow()
                .get("experts"))
        .isEqualTo(
            new Gone(new TreeMap<>(Map.of(2, "n")), new TreeSet<>(), new TreeMap<>(Map.of(0, 2))));
  }

  @Test
  void keepsHowEarlierRunsWereMade() {
    Model once = Provenance.with(Provenance.again(MODEL), "ratio", "0.25");
    Model twice = Provenance.with(Provenance.again(once), "ratio", "0.5");
    Model thrice = Provenance.with(Provenance.again(twice), "refit", "a.txt");

    assertThat(Provenance.runs(MODEL)).isEmpty();
    assertThat(Provenance.runs(thrice))
        .containsExactly(Map.of("ratio", "0.25"), Map.of("ratio", "0.5"), Map.of("refit", "a.txt"));
    assertThat(thrice.metadata()).doesNotContainKey("mone-onnx.ratio");
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
