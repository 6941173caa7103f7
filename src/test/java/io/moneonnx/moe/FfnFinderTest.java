package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FfnFinderTest {
  private static final String GATED =
      "g = MatMul (x, w1) s = Sigmoid (g) a = Mul (g, s) u = MatMul (x, w3) m = Mul (a, u) ";
  private static final String BOTH = "b = MatMul (x, w13) ";
  private static final String DOWN = "raw = MatMul (m, w2)";

  private static Graph graph(String nodes) {
    return GraphText.parse(
        """
        g (float[T, 4] x, float[T, T] other, int64[T] ids) => (float[...] raw)
        <float[4, 6] w1, float[4, 6] w3, float[6, 4] t3, float[6, 3] w2, float[3, 6] t2,
         float[4, 12] w13, float[6] b1, float[3] b2, float[2, 4, 6] bank1, float[2, 6, 3] bank2,
         float two = {2}, float scale = {1.702}, int64[1] from = {0}, int64[1] next = {1},
         int64[1] end = {12}, int64[1] half = {6}, int64[1] axis = {1}, int64[1] step = {2}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  private static String text(Optional<Ffn> found) {
    return found
        .map(
            ffn ->
                "%s %s %d to %d".formatted(ffn.kind(), ffn.activation(), ffn.inner(), ffn.hidden()))
        .orElse("opaque");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "h = MatMul (x, w1) m = Relu (h) | plain relu",
        "h = MatMul (x, w1) r = Relu (h) m = Mul (r, r) | plain relu2",
        "h = MatMul (x, w1) r = Relu (h) m = Pow (r, two) | plain relu2",
        "h = Gemm (x, w1, b1) e = Erf (h) m = Mul (e, h) | plain gelu",
        "h = Gemm <transB = 1> (x, t3) m = Gelu <approximate = \"tanh\"> (h) | plain gelu-tanh",
        "h = Einsum <equation = \"th,hi->ti\"> (x, w1) m = Tanh (h) | plain tanh",
        "h = MatMul (x, w1) p = Softplus (h) q = Tanh (p) m = Mul (h, q) | plain mish",
        "h = MatMul (x, w1) m = Identity (h) | plain identity",
        "h = MatMul (x, w1) s = Softsign (h) m = Atanh (s) | opaque",
        "h = MatMul (x, w1) a = Sin (h) m = Cos (a) | plain cos+sin",
      })
  void namesTheActivation(String nodes, String expected) {
    String found = text(new FfnFinder(graph(nodes + " " + DOWN)).of("raw"));

    assertThat(found).isEqualTo(expected.equals("opaque") ? expected : expected + " 6 to 3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        GATED + "| gated silu",
        "g = MatMul (x, w1) s = Sigmoid (g) u = MatMul (x, w3) m = Mul (s, u) | gated sigmoid",
        "u = MatMul (x, w3) g = MatMul (x, w1) c = Mul (g, scale) s = Sigmoid (c) a = Mul (g, s)"
            + " m = Mul (u, a) | gated quick-gelu",
        BOTH
            + "g, u = Split <axis = 1, num_outputs = 2> (b) s = Sigmoid (g) a = Mul (g, s)"
            + " m = Mul (a, u) | gated-concatenated silu",
        BOTH
            + "g = Slice (b, from, half, axis) u = Slice (b, half, end, axis) a = Relu (g)"
            + " m = Mul (a, u) | gated-concatenated relu",
        BOTH
            + "g = Slice (b, from, end, axis, step) u = Slice (b, next, end, axis, step)"
            + " a = Relu (g) m = Mul (a, u) | gated-interleaved relu",
      })
  void tellsHowGateAndUpAreLaidOut(String nodes, String expected) {
    assertThat(text(new FfnFinder(graph(nodes + " " + DOWN)).of("raw")))
        .isEqualTo(expected + " 6 to 3");
  }

  @Test
  void tellsTheGateFromWhatItMultiplies() {
    Ffn ffn = new FfnFinder(graph(GATED + DOWN)).of("raw").orElseThrow();

    assertThat(ffn.gate()).map(Ffn.Projection::weight).hasValue("w1");
    assertThat(ffn.up().weight()).isEqualTo("w3");
    assertThat(ffn.down()).isEqualTo(new Ffn.Projection("raw", "w2", 0, 1, 3, Optional.empty()));
    assertThat(ffn.activations()).hasValue("m");
  }

  @Test
  void findsBiasesBehindWhatLaysProductsOut() {
    Graph graph =
        graph(
            "h = MatMul (x, w1) i = Add (b1, h) m = Relu (i) d = MatMul (m, w2) c = Cast <to = 1> (d)"
                + " raw = Add (c, b2)");
    Ffn ffn = new FfnFinder(graph).of("raw").orElseThrow();

    assertThat(ffn.up().bias()).hasValue("b1");
    assertThat(ffn.down().bias()).hasValue("b2");
  }

  @Test
  void readsWeightsThatAreGatheredForEachSlot() {
    Graph graph =
        graph(
            "r1 = Gather (bank1, ids) r2 = Gather (bank2, ids) x3 = Unsqueeze (x, axis)"
                + " h = MatMul (x3, r1) m = Relu (h) d = MatMul (m, r2) raw = Squeeze (d, axis)");
    Map<String, String> banks = Map.of("r1", "bank1", "r2", "bank2");

    assertThat(text(new FfnFinder(graph, banks, Map.of()).of("raw")))
        .isEqualTo("plain relu 6 to 3");
    assertThat(new FfnFinder(graph).of("raw")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "h = MatMul (x, w1) m = Softmax (h) " + DOWN,
        "h = MatMul (x, w1) k = MatMul (other, h) m = Relu (k) " + DOWN,
        "h = MatMul (x, w1) m = Relu (x) " + DOWN,
        "h = MatMul (x, w1) m = Relu (h) p = MatMul (m, w2) raw = Relu (p)",
        "h = MatMul (x, w13) m = Relu (h) raw = MatMul (h, t2)",
        "raw = MatMul (x, w1)",
        GATED + "n = Mul (m, b1) k = Gemm (x, w1) o = Mul (n, k) raw = MatMul (o, w2)",
      })
  void leavesAnythingElseOpaque(String nodes) {
    assertThat(new FfnFinder(graph(nodes)).each(List.of("raw"))).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void readsWhatEverySpellingComputes(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    List<Ffn> found = tiny.block().ffn();

    assertThat(found.size()).isIn(1, 4);
    assertThat(found)
        .allSatisfy(
            ffn -> {
              assertThat(ffn.inner()).isEqualTo(5);
              assertThat(ffn.hidden()).isEqualTo(4);
            });
  }
}
