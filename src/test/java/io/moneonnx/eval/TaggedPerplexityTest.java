package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TaggedPerplexityTest {
  private static Losses losses(List<Double> nats, List<Integer> tokens) {
    return new Losses(nats, nats, tokens);
  }

  @Test
  void everyTokenCountsAlike() {
    Losses losses = losses(List.of(1.0, 4.0), List.of(30, 10));

    assertThat(losses.perplexity()).isCloseTo(Math.exp((30 * 1.0 + 10 * 4.0) / 40), within(1e-12));
    assertThat(losses.mean()).isEqualTo(2.5);
  }

  @Test
  void theTotalIsOverTheTokensOfAllTagsAndOfNone() {
    Map<Optional<String>, Losses> all = new LinkedHashMap<>();
    all.put(Optional.of("code"), losses(List.of(1.0), List.of(10)));
    all.put(Optional.empty(), losses(List.of(3.0), List.of(30)));

    TaggedPerplexity found = TaggedPerplexity.of(all);

    assertThat(found.total()).isCloseTo(Math.exp(100 / 40.0), within(1e-12));
    assertThat(found.tags()).containsExactly(Map.entry("code", Math.exp(1.0)));
  }

  @Test
  void aLimitHoldsForTheTotalAndForEachTag() {
    TaggedPerplexity before = new TaggedPerplexity(20, Map.of("code", 10.0));

    assertThat(keepsToTwoPercent(before, 20.2, 10.1)).isTrue();
    assertThat(keepsToTwoPercent(before, 20.2, 10.3)).isFalse();
    assertThat(keepsToTwoPercent(before, 20.6, 10.1)).isFalse();
    assertThat(keepsToTwoPercent(before, Double.NaN, 10.1)).isFalse();
    assertThat(keepsToTwoPercent(before, 20.2, Double.NaN)).isFalse();
  }

  private static boolean keepsToTwoPercent(TaggedPerplexity before, double total, double code) {
    return new TaggedPerplexity(total, Map.of("code", code)).increaseOver(before).isWithin(0.02);
  }
}
