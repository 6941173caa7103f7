package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Graph;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ResidualStreamTest {
  private static final TinyMoe TINY = Spelling.FUSED.of(3, 2, 4);

  private static Optional<String> sum(TinyMoe tiny) {
    return ResidualStream.after(Canonical.of(tiny.model()).graph(), tiny.block().claim())
        .map(stream -> stream.sum().output());
  }

  /** A router reads a norm, and the stream goes on from the sum that the norm was computed of. */
  private static TinyMoe normed(String stream) {
    return TINY.with("float[T, 4] x)", "float[T, 4] given, float[T, 4] attended)")
        .with("<float[3, 4] router,", "<float[3, 4] router, float[4] scale,")
        .with(
            "  logits =",
            """
              x, mean, deviation, before = com.microsoft.SkipSimplifiedLayerNormalization (given, attended, scale)
              logits =\
            """)
        .with(
            "y = Add (x, routed)",
            "y = com.microsoft.SkipSimplifiedLayerNormalization (%s, routed, scale)"
                .formatted(stream));
  }

  @Test
  void isTheSumThatTheBlockIsAddedTo() {
    assertThat(sum(TINY)).contains("y");
  }

  @Test
  void saysWhatTheSumAdds() {
    assertThat(adds(TINY)).isTrue();
    assertThat(
            adds(TINY.with("y = Add (x, routed)", "more = Add (routed, x)\n  y = Add (x, more)")))
        .isTrue();
    assertThat(
            adds(TINY.with("y = Add (x, routed)", "twice = Mul (routed, x)\n  y = Add (x, twice)")))
        .isFalse();
  }

  private static boolean adds(TinyMoe tiny) {
    Graph graph = Canonical.of(tiny.model()).graph();
    MoeBlock block = tiny.block();
    return ResidualStream.after(graph, block.claim()).orElseThrow().adds(graph, block.output());
  }

  @Test
  void goesOnFromWhatANormSkips() {
    assertThat(sum(normed("before"))).contains("y");
  }

  @Test
  void isNotASumWithSomethingElse() {
    assertThat(sum(normed("deviation"))).isEmpty();
  }
}
