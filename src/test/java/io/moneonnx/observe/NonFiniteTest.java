package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Tensor;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Measured;
import io.moneonnx.profile.Statistic;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two samples of three tokens, of which the last of the second sample has something that makes
 * expert 1, which it chooses, put out NaN or infinity.
 */
final class NonFiniteTest {
  private static final int HIDDEN = 4;
  private static final int INNER = HIDDEN + 1;
  private static final int TOKENS = 6;
  private static final int POISONED = 5;
  private static final Tensor EVERY = Tensor.of(List.of(2L, 3L), 1L, 1, 1, 1, 1, 1);
  private static final Tensor NOT_THE_LAST = Tensor.of(List.of(2L, 3L), 1L, 1, 1, 1, 1, 0);
  private static final List<String> NAMES =
      List.of("sequence 8 of book.txt", "sequence 9 of book.txt");

  /** What expert 1 makes of the poison, which nobody else feels. */
  enum Kind {
    /** {@code 1e30 * 1e30 - 1e30 * 1e30} before the activation. */
    NAN {
      @Override
      float up(int coordinate) {
        return coordinate == 2 ? 1e30f : coordinate == 3 ? -1e30f : 0.5f;
      }

      @Override
      float down() {
        return 0.25f;
      }
    },

    /** A sum of many {@code 3e38}; nothing at all for tokens without poison. */
    INFINITY {
      @Override
      float up(int coordinate) {
        return coordinate == 2 ? 1 : 0;
      }

      @Override
      float down() {
        return 3e38f;
      }
    };

    abstract float up(int coordinate);

    abstract float down();
  }

  /** The poison is in coordinates 2 and 3, which routers and other experts do not see. */
  private static TinyMoe poisonable(Spelling spelling, Kind kind) {
    TinyMoe tiny =
        withoutTanh(spelling.of(3, 1, HIDDEN))
            .withInput("int64[B, S] attention_mask")
            .withRouter(
                new float[] {0, 1, 0, 0}, new float[] {100, 0, 0, 0}, new float[] {0, -1, 0, 0});
    float[][] up = new float[3][];
    float[][] down = new float[3][];
    for (int expert = 0; expert < 3; expert++) {
      int own = expert;
      boolean isTransposed = isTransposed(tiny);
      up[expert] = new float[HIDDEN * INNER];
      for (int i = 0; i < up[expert].length; i++) {
        int coordinate = isTransposed ? i % HIDDEN : i / INNER;
        up[expert][i] = own == 1 ? kind.up(coordinate) : coordinate < 2 ? 0.1f * (i + own) : 0;
      }
      down[expert] = new float[HIDDEN * INNER];
      for (int i = 0; i < down[expert].length; i++) {
        down[expert][i] = own == 1 ? kind.down() : 0.1f * (i % 3 - own);
      }
    }
    if (spelling.isStacked()) {
      return tiny.withValues("up", concat(up)).withValues("down", concat(down));
    }
    for (int expert = 0; expert < 3; expert++) {
      tiny = tiny.withValues("up" + expert, up[expert]).withValues("down" + expert, down[expert]);
    }
    return tiny;
  }

  /** ONNX Runtime's {@code Tanh} makes numbers of NaN. */
  private static TinyMoe withoutTanh(TinyMoe tiny) {
    return tiny.text().contains("Tanh") ? tiny.with("Tanh", "Neg") : tiny;
  }

  /** How the spelling stores {@code up}: {@code [inner, hidden]} or {@code [hidden, inner]}. */
  private static boolean isTransposed(TinyMoe tiny) {
    return tiny.text().contains("[%d, %d] up".formatted(INNER, HIDDEN))
        || tiny.text().contains("[3, %d, %d] up".formatted(INNER, HIDDEN));
  }

  private static float[] concat(float[]... parts) {
    float[] all = new float[Arrays.stream(parts).mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  /** Tokens of which the last chooses expert 1, and so does the first. */
  private static Tensor tokens(TinyMoe tiny, float poison) {
    float[] x = tiny.tokens(TOKENS, 5).toFloats();
    for (int token = 0; token < TOKENS; token++) {
      x[token * HIDDEN] = token == 0 || token == POISONED ? 1 : -1;
      x[token * HIDDEN + 2] = token == POISONED ? poison : 0;
      x[token * HIDDEN + 3] = token == POISONED ? poison : 0;
    }
    return Tensor.of(List.of((long) TOKENS, (long) HIDDEN), x);
  }

  private static Measured measure(TinyMoe tiny, Tensor x, Tensor mask, NonFinite nonFinite) {
    Map<String, Tensor> feeds = Map.of("x", x, "attention_mask", mask);
    try (Calibrator.Pass pass =
        new Calibrator(
                Canonical.of(tiny.model()).model(),
                Path.of(""),
                List.of(tiny.block()),
                RunOptions.cpu())
            .begin(nonFinite, 0)) {
      return pass.add(Measured.NOTHING, new Batch(feeds, Optional.empty(), NAMES));
    }
  }

  private static BlockStatistics only(Measured measured) {
    assertThat(measured.disproved()).isEmpty();
    return measured.statistics().get(0);
  }

  private static void stopsAtTheToken(Spelling spelling, Kind kind) {
    TinyMoe tiny = poisonable(spelling, kind);
    assertThatThrownBy(() -> measure(tiny, tokens(tiny, 1e30f), EVERY, NonFinite.STOP))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "block 'experts': the output of expert 1 is not finite at position 2 of sequence 9 of"
                + " book.txt, counted from 0; --skip-nonfinite leaves such tokens out");
  }

  /** With the token left out, everything is as if the mask had hidden it. */
  private static void skipsTheToken(Spelling spelling, Kind kind) {
    TinyMoe tiny = poisonable(spelling, kind);
    Measured skipped = measure(tiny, tokens(tiny, 1e30f), EVERY, NonFinite.SKIP);
    BlockStatistics hidden = only(measure(tiny, tokens(tiny, 0), NOT_THE_LAST, NonFinite.STOP));

    assertThat(skipped.skipped()).containsExactly(Map.entry("experts", 1L));
    BlockStatistics found = only(skipped);
    assertThat(found.get(Statistic.T).count(0)).isEqualTo(TOKENS - 1);
    assertThat(found.get(Statistic.N).count(1)).isEqualTo(1);
    assertThat(found).isEqualTo(hidden);
  }

  private static void ignoresPadding(Spelling spelling, Kind kind) {
    TinyMoe tiny = poisonable(spelling, kind);
    Measured poisoned = measure(tiny, tokens(tiny, 1e30f), NOT_THE_LAST, NonFinite.STOP);

    assertThat(poisoned.skipped()).isEmpty();
    assertThat(only(poisoned))
        .isEqualTo(only(measure(tiny, tokens(tiny, 0), NOT_THE_LAST, NonFinite.STOP)));
  }

  @ParameterizedTest
  @EnumSource
  void stopsAtTheTokenWithNan(Spelling spelling) {
    stopsAtTheToken(spelling, Kind.NAN);
  }

  @ParameterizedTest
  @EnumSource
  void stopsAtTheTokenWithInfinity(Spelling spelling) {
    stopsAtTheToken(spelling, Kind.INFINITY);
  }

  @ParameterizedTest
  @EnumSource
  void skipsTheTokenWithNan(Spelling spelling) {
    skipsTheToken(spelling, Kind.NAN);
  }

  @ParameterizedTest
  @EnumSource
  void skipsTheTokenWithInfinity(Spelling spelling) {
    skipsTheToken(spelling, Kind.INFINITY);
  }

  @ParameterizedTest
  @EnumSource
  void ignoresPaddingWithNan(Spelling spelling) {
    ignoresPadding(spelling, Kind.NAN);
  }

  @ParameterizedTest
  @EnumSource
  void ignoresPaddingWithInfinity(Spelling spelling) {
    ignoresPadding(spelling, Kind.INFINITY);
  }

  @ParameterizedTest
  @EnumSource
  void skipsATokenThatIsNoNumberFromTheStart(Spelling spelling) {
    TinyMoe tiny = poisonable(spelling, Kind.NAN);
    float[] x = tokens(tiny, 0).toFloats();
    float[] hidden = x.clone();
    IntStream.range(0, HIDDEN).forEach(i -> x[POISONED * HIDDEN + i] = Float.NaN);

    Measured skipped = measure(tiny, Tensor.of(List.of(6L, 4L), x), EVERY, NonFinite.SKIP);

    BlockStatistics wanted =
        only(measure(tiny, Tensor.of(List.of(6L, 4L), hidden), NOT_THE_LAST, NonFinite.STOP));
    assertThat(skipped.skipped()).containsExactly(Map.entry("experts", 1L));
    assertThat(only(skipped).get(Statistic.T).count(0)).isEqualTo(wanted.get(Statistic.T).count(0));
    assertThat(only(skipped).get(Statistic.N)).isEqualTo(wanted.get(Statistic.N));
    assertThat(only(skipped).get(Statistic.C)).isEqualTo(wanted.get(Statistic.C));
    assertThat(only(skipped).get(Statistic.Y2, 0))
        .isCloseTo(wanted.get(Statistic.Y2, 0), withinPercentage(0.001));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUSED")
  void saysThatRoutingWeightsAreNotFinite(Spelling spelling) {
    TinyMoe tiny =
        spelling
            .of(3, 2, HIDDEN)
            .withInput("int64[B, S] attention_mask")
            .with(
                "gates = Div (best, total)", "none = Sub (best, best)\n  gates = Div (none, none)");

    assertThatThrownBy(() -> measure(tiny, tiny.tokens(TOKENS, 1), EVERY, NonFinite.STOP))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith("block 'experts': the routing weight of expert ")
        .hasMessageContaining("not finite at position 0 of sequence 8 of book.txt");
  }
}
