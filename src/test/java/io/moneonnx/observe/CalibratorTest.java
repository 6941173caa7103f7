package io.moneonnx.observe;

import static io.moneonnx.profile.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Slices;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.run.Device;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Statistics of tiny models in ONNX Runtime against their definitions. */
final class CalibratorTest {
  private static final double CLOSE = 1e-5;

  private static Calibrator calibrator(TinyMoe tiny, MoeBlock block) {
    return new Calibrator(
        Canonical.of(tiny.model()).model(), Path.of(""), List.of(block), RunOptions.cpu());
  }

  private static Calibrator.Outcome calibrate(TinyMoe tiny, List<Map<String, Tensor>> feeds) {
    return calibrator(tiny, tiny.block()).run(feeds);
  }

  private static BlockStatistics only(Calibrator.Outcome outcome) {
    assertThat(outcome.disproved()).isEmpty();
    assertThat(outcome.statistics()).hasSize(1);
    return outcome.statistics().get(0);
  }

  private static boolean[] all(int tokens) {
    boolean[] all = new boolean[tokens];
    Arrays.fill(all, true);
    return all;
  }

  private static void assertSame(BlockStatistics found, BlockStatistics wanted) {
    assertClose(found.all(), wanted.all(), CLOSE);
  }

  @ParameterizedTest
  @CsvSource({
    "TORCHSCRIPT, 3, 2, 4",
    "DYNAMO, 3, 2, 4",
    "GATHERED, 3, 2, 4",
    "GUARDED, 3, 2, 4",
    "BRANCHED, 3, 2, 4",
    "ROUNDS, 3, 2, 4",
    "TORCHSCRIPT, 8, 1, 3",
    "DYNAMO, 5, 4, 6",
    "GATHERED, 8, 3, 5",
    "FUSED, 8, 3, 5",
  })
  void measuresWhatTheDefinitionsSay(Spelling spelling, int experts, int topK, int hidden) {
    TinyMoe tiny = spelling.of(experts, topK, hidden);
    Map<String, Tensor> feeds = Map.of("x", tiny.tokens(40, 1));

    assertSame(
        only(calibrate(tiny, List.of(feeds))),
        new Slots(tiny.block()).add(tiny, feeds, all(40)).statistics());
  }

  @ParameterizedTest
  @EnumSource
  void measuresTheSameWhereProductsSumUpRows(Spelling spelling) {
    TinyMoe tiny = spelling.of(5, 2, 4);
    Map<String, Tensor> feeds = Map.of("x", tiny.tokens(40, 1));
    Calibrator byProduct =
        new Calibrator(
            Canonical.of(tiny.model()).model(),
            Path.of(""),
            List.of(tiny.block()),
            RunOptions.cpu(),
            Moments.BY_PRODUCT,
            Detail.FULL);

    assertSame(
        only(byProduct.run(List.of(feeds))),
        new Slots(tiny.block()).add(tiny, feeds, all(40)).statistics());
  }

  @ParameterizedTest
  @EnumSource
  void mergesBatches(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Map<String, Tensor> first = Map.of("x", tiny.tokens(17, 1));
    Map<String, Tensor> second = Map.of("x", tiny.tokens(1, 2));
    Map<String, Tensor> third = Map.of("x", tiny.tokens(22, 3));

    assertSame(
        only(calibrate(tiny, List.of(first, second, third))),
        new Slots(tiny.block())
            .add(tiny, first, all(17))
            .add(tiny, second, all(1))
            .add(tiny, third, all(22))
            .statistics());
  }

  @ParameterizedTest
  @CsvSource({
    "TORCHSCRIPT, 7.5",
    "DYNAMO, 7.5",
    "GATHERED, 7.5",
    "BUFFER, 7.5",
    "TORCHSCRIPT, NaN",
    "DYNAMO, NaN",
    "GATHERED, NaN",
    "DYNAMO, Infinity",
    "FUSED, 7.5",
    "FUSED, NaN",
  })
  void leavesOutPadding(Spelling spelling, float padding) {
    TinyMoe tiny = spelling.of(3, 2, 4).withInput("int64[B, S] attention_mask");
    float[] x = tiny.tokens(6, 1).toFloats();
    for (int token : new int[] {0, 3, 4}) {
      Arrays.fill(x, 4 * token, 4 * (token + 1), padding);
    }
    Tensor mask = Tensor.of(List.of(2L, 3L), 0L, 1, 1, 0, 0, 1);
    Tensor seen = Tensor.of(List.of(2L, 3L), 1L, 1, 1, 1, 1, 1);
    float[] clean = x.clone();
    for (int token : new int[] {0, 3, 4}) {
      Arrays.fill(clean, 4 * token, 4 * (token + 1), 1);
    }
    Tensor tokens = Tensor.of(List.of(6L, 4L), x);
    Tensor cleanTokens = Tensor.of(List.of(6L, 4L), clean);

    assertSame(
        only(calibrate(tiny, List.of(Map.of("x", tokens, "attention_mask", mask)))),
        new Slots(tiny.block())
            .add(
                tiny,
                Map.of("x", cleanTokens, "attention_mask", seen),
                false,
                true,
                true,
                false,
                false,
                true)
            .statistics());
  }

  /** Expert 1 is chosen by tokens that begin with 1, and by no others. */
  private static TinyMoe byFirstElement(Spelling spelling) {
    return spelling
        .of(3, 1, 4)
        .withRouter(
            new float[] {0, 1, 0, 0}, new float[] {100, 0, 0, 0}, new float[] {0, -1, 0, 0});
  }

  private static Tensor tokensThatBeginWith(float first, TinyMoe tiny, int tokens) {
    float[] x = tiny.tokens(tokens, 5).toFloats();
    for (int token = 0; token < tokens; token++) {
      x[token * tiny.hidden()] = first;
    }
    return Tensor.of(List.of((long) tokens, (long) tiny.hidden()), x);
  }

  @ParameterizedTest
  @EnumSource
  void knowsExpertsThatWereNeverChosen(Spelling spelling) {
    TinyMoe tiny = byFirstElement(spelling);
    Map<String, Tensor> feeds = Map.of("x", tokensThatBeginWith(-1, tiny, 20));
    BlockStatistics found = only(calibrate(tiny, List.of(feeds)));

    assertThat(found.neverChosen()).containsExactly(1);
    assertThat(found.all().variance(1)).isEmpty();
    assertSame(found, new Slots(tiny.block()).add(tiny, feeds, all(20)).statistics());
  }

  @ParameterizedTest
  @EnumSource
  void takesOverAnExpertThatOnlyALaterBatchChose(Spelling spelling) {
    TinyMoe tiny = byFirstElement(spelling);
    Map<String, Tensor> without = Map.of("x", tokensThatBeginWith(-1, tiny, 9));
    Map<String, Tensor> with = Map.of("x", tokensThatBeginWith(1, tiny, 9));

    assertSame(
        only(calibrate(tiny, List.of(without, with))),
        new Slots(tiny.block()).add(tiny, without, all(9)).add(tiny, with, all(9)).statistics());
  }

  /** The model with a constant added to every element of every expert's output. */
  private static TinyMoe farFromZero(Spelling spelling, float offset) {
    TinyMoe far =
        spelling.of(3, 2, 4).with("int64[1] k", "float offset = {" + offset + "}, int64[1] k");
    for (String line : far.text().lines().filter(line -> line.strip().startsWith("raw")).toList()) {
      String raw = line.substring(0, line.indexOf(" =")).strip();
      far =
          far.with(
              line,
              line.replace(raw + " =", "near_" + raw + " =")
                  + "\n  %1$s = Add (near_%1$s, offset)".formatted(raw));
    }
    return far;
  }

  /** Means of more than a thousand standard deviations: what a sum of squares cannot hold. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUSED")
  void keepsVariancesOfOutputsFarFromZero(Spelling spelling) {
    float offset = 3000;
    TinyMoe tiny = farFromZero(spelling, offset);
    List<Map<String, Tensor>> feeds = new ArrayList<>();
    Slots slots = new Slots(tiny.block());
    for (int batch = 0; batch < 4; batch++) {
      feeds.add(Map.of("x", tiny.tokens(300, batch)));
      slots.add(tiny, feeds.get(batch), all(300));
    }
    BlockStatistics inOneRun = only(calibrate(tiny, feeds));
    BlockStatistics inTwoRuns =
        only(calibrate(tiny, feeds.subList(0, 1)))
            .merge(only(calibrate(tiny, feeds.subList(1, 4))));
    BlockStatistics wanted = slots.statistics();

    for (int e = 0; e < 3; e++) {
      double variance = wanted.all().variance(e).orElseThrow();
      assertThat(offset / Math.sqrt(variance)).isGreaterThan(1000);
      for (BlockStatistics found : List.of(inOneRun, inTwoRuns)) {
        assertThat(found.all().variance(e).orElseThrow())
            .isCloseTo(variance, within(CLOSE * variance));
        assertThat(found.get(Statistic.R2).get(e))
            .isCloseTo(
                wanted.get(Statistic.R2).get(e), within(CLOSE * wanted.get(Statistic.R2).get(e)));
      }
    }
    assertThat(slots.lowestSquaresBySums()).isNegative();
  }

  @ParameterizedTest
  @EnumSource
  void leavesTheModelsOwnOutputsAsTheyAre(Spelling spelling) {
    TinyMoe tiny = spelling.of(8, 2, 4);
    Map<String, Tensor> feeds = Map.of("x", tiny.tokens(30, 1));
    float[] wanted = TinyMoe.run(tiny.model(), feeds, List.of("y")).get("y").toFloats();

    assertThat(calibrator(tiny, tiny.block()).outputs(feeds, List.of("y")).get("y").toFloats())
        .containsExactly(wanted, within(1e-6f));
  }

  @Test
  void refusesToMeasureNothing() {
    assertThatThrownBy(() -> calibrate(Spelling.DYNAMO.of(3, 2, 4), List.of()))
        .isInstanceOf(BadInputException.class)
        .hasMessage("the calibration data hold nothing to run");
  }

  @Test
  void tellsWhatItRanOnAndHowFarItIs() {
    TinyMoe tiny = Spelling.DYNAMO.of(3, 2, 4);
    try (Calibrator.Pass pass = calibrator(tiny, tiny.block()).begin(NonFinite.STOP, 0)) {
      Measured first = pass.add(Measured.NOTHING, Batch.of(Map.of("x", tiny.tokens(2, 1))));
      Measured second = pass.add(first, Batch.of(Map.of("x", tiny.tokens(3, 1))));

      assertThat(first.batches()).isEqualTo(1);
      assertThat(second.batches()).isEqualTo(2);
      assertThat(pass.outcome(second).device()).isEqualTo(new Device.Cpu());
    }
  }

  @Test
  void keepsWhatEachTagIsOf() {
    TinyMoe tiny = Spelling.DYNAMO.of(3, 2, 4);
    List<Tensor> x = List.of(tiny.tokens(5, 1), tiny.tokens(7, 2), tiny.tokens(3, 3));
    List<Optional<String>> tags = List.of(Optional.of("a"), Optional.empty(), Optional.of("a"));
    Measured measured = Measured.NOTHING;
    try (Calibrator.Pass pass = calibrator(tiny, tiny.block()).begin(NonFinite.STOP, 0)) {
      for (int i = 0; i < x.size(); i++) {
        measured = pass.add(measured, new Batch(Map.of("x", x.get(i)), tags.get(i), List.of()));
      }
    }
    Slices slices = measured.statistics().get(0).slices();

    assertThat(slices.sources()).containsOnlyKeys("a");
    assertThat(slices.sources().get("a").get(Statistic.T).count(0)).isEqualTo(8);
    assertThat(slices.shards().get(1).get(Statistic.T).count(0)).isEqualTo(7);
  }
}
