package io.moneonnx.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.data.OwnText;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TextSamplerTest {
  /** Each word alone scores the next. */
  private static final String PAIRS =
      """
      pairs (int64[B, S] input_ids) => (float[B, S, 3] logits)
      <float[3, 3] scores = {0, 1, -1, 2, 0, 0, 0, 0, 0}>
      {
        logits = Gather (scores, input_ids)
      }
      """;

  private final List<String> notices = new ArrayList<>();

  private List<List<Long>> sample(String graph, OwnText.Request wanted) {
    Model model =
        new Model(GraphText.parse(graph), 8, Map.of("", 17L), Map.of(), UnknownFields.NONE);
    try (TextSampler sampler =
        TextSampler.open(
            model,
            Path.of("."),
            new NextToken("input_ids", "logits"),
            new RunOptions(new Device.Cpu(), 1, notices::add))) {
      return sampler.sample(wanted, () -> {});
    }
  }

  @Test
  void wordsComeAsOftenAsTheModelSays() {
    int count = 4000;
    List<List<Long>> pairs = sample(PAIRS, new OwnText.Request(count, 2, 0));

    double sum = 1 + Math.E + 1 / Math.E;
    double[] wanted = {1 / sum, Math.E / sum, 1 / Math.E / sum};
    List<Long> second = pairs.stream().map(pair -> pair.get(1)).toList();
    for (long word = 0; word < wanted.length; word++) {
      double part = Collections.frequency(second, word) / (double) count;
      assertThat(part).isCloseTo(wanted[(int) word], within(0.03));
    }
    assertThat(pairs).allSatisfy(pair -> assertThat(pair).hasSize(2).startsWith(0L));
  }

  @Test
  void keptPastsChangeNoWord() {
    OwnText.Request wanted = new OwnText.Request(20, 9, 1);
    List<List<Long>> whole = sample(LikelihoodsTest.SUMS, wanted);

    assertThat(sample(LikelihoodsTest.CACHED, wanted)).isEqualTo(whole);
    assertThat(notices).as("pasts were not given up").isEmpty();
    assertThat(whole.stream().distinct().count()).isGreaterThan(10);
  }

  @Test
  void pastsThatAreNotWhatWasSeenAreGivenUp() {
    OwnText.Request wanted = new OwnText.Request(20, 9, 1);
    String wrong =
        LikelihoodsTest.CACHED
            .replace("present.0.key = Concat", "seen = Concat")
            .replace(
                "all = CumSum (present.0.key, along)",
                "present.0.key = Neg (seen)\n  all = CumSum (seen, along)");

    assertThat(sample(wrong, wanted)).isEqualTo(sample(LikelihoodsTest.SUMS, wanted));
    assertThat(notices).singleElement().asString().contains("without kept pasts", "differs by");
  }

  @Test
  void aModelThatPutsOutNaNWritesNothing() {
    String broken = PAIRS.replace("{0, 1, -1,", "{0, NaN, -1,");
    assertThatThrownBy(() -> sample(broken, new OwnText.Request(1, 4, 0)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("NaN or infinity");
  }
}
