package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.GraphText;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs that have much of a Mixture-of-Experts block and are none. */
final class NearMissTest {
  private static MoeFinder.Findings find(String text) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(GraphText.parse(text)).graph());
  }

  private static void isNoBlock(String text) {
    MoeFinder.Findings findings = find(text);
    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals()).isEmpty();
  }

  @Test
  void aDenseFeedForwardIsNoBlock() {
    isNoBlock(
        """
        dense (float[T, 4] x) => (float[T, 4] y)
        <float[4, 16] gate, float[4, 16] up, float[16, 4] down>
        {
          g = MatMul (x, gate)
          s = Sigmoid (g)
          a = Mul (g, s)
          u = MatMul (x, up)
          h = Mul (a, u)
          d = MatMul (h, down)
          y = Add (x, d)
        }
        """);
  }

  @Test
  void aTopKThatSortsIsNoBlock() {
    isNoBlock(
        """
        sorted (float[T, 4] x) => (float[T, 4] y)
        <float[4, 8] up, float[8, 4] down, int64[1] all = {8}>
        {
          h = MatMul (x, up)
          ordered, places = TopK <axis = -1, largest = 0> (h, all)
          back = GatherElements <axis = -1> (h, places)
          y = MatMul (back, down)
        }
        """);
  }

  @Test
  void aTopKThatKeepsTheLargestActivationsIsNoBlock() {
    assertThat(
            find("""
                sparse (float[T, 4] x) => (float[T, 4] y)
                <float[4, 8] up, float[8, 4] down, int64[1] k = {2}>
                {
                  h = MatMul (x, up)
                  best, places = TopK <axis = -1, largest = 1> (h, k)
                  shape = Shape (h)
                  zeros = ConstantOfShape <value = float[1] {0}> (shape)
                  kept = ScatterElements <axis = 1> (zeros, places, best)
                  d = MatMul (kept, down)
                  y = Add (x, d)
                }
                """)
                .blocks())
        .isEmpty();
  }

  @Test
  void aBeamSearchBehindALanguageModelIsNoBlock() {
    isNoBlock(
        """
        beams (float[B, 4] x, float[B, 1] sofar) => (float[1, 4] scores, int64[1, 4] tokens)
        <float[4, 50] head, int64[1] beams = {4}, int64 vocabulary = {50}, int64[2] flat = {1, -1}>
        {
          logits = MatMul (x, head)
          logp = LogSoftmax <axis = -1> (logits)
          total = Add (logp, sofar)
          row = Reshape (total, flat)
          scores, places = TopK <axis = -1, largest = 1> (row, beams)
          tokens = Mod (places, vocabulary)
        }
        """);
  }

  @Test
  void aMaskOfTheLargestActivationsIsNoBlock() {
    isNoBlock(
        """
        masked (float[T, 4] x) => (float[T, 4] y)
        <float[4, 8] up, float[8, 4] down, int64[1] k = {2}, int64[1] last = {-1}, float none = {0}>
        {
          h = MatMul (x, up)
          best, places = TopK <axis = -1, largest = 1> (h, k)
          least = ReduceMin <keepdims = 1> (best)
          large = GreaterOrEqual (h, least)
          kept = Where (large, h, none)
          d = MatMul (kept, down)
          y = Add (x, d)
        }
        """);
  }

  @Test
  void samplingFromTheBestTokensIsNoBlock() {
    isNoBlock(
        """
        sampled (float[B, 4] x) => (float[B, 50] y)
        <float[4, 50] head, int64[1] k = {5}, int64[1] last = {-1}, int64[1] far = {1000},
         float never = {-inf}>
        {
          logits = MatMul (x, head)
          best, places = TopK <axis = -1, largest = 1> (logits, k)
          least = Slice (best, last, far, last)
          small = Less (logits, least)
          masked = Where (small, never, logits)
          y = Softmax <axis = -1> (masked)
        }
        """);
  }

  /** Each token goes to two experts, which project its query; attention mixes the tokens. */
  @Test
  void aRoutedAttentionIsNoBlock() {
    String text =
        """
        attention (float[T, 4] x) => (float[T, 4] y)
        <float[6, 4] router, float[6, 4, 4] query, float[6, 4, 4] merge, float[4, 4] key,
         float[4, 4] value, int64[1] k = {2}, int64[1] last = {-1}, int64[1] one = {1},
         int64[3] copies = {1, 2, 1}, int64[2] rows = {-1, 4}, int64[3] bySlot = {-1, 2, 4}>
        {
          logits = Gemm <transB = 1> (x, router)
          scores = Softmax <axis = -1> (logits)
          gates, experts = TopK <axis = -1, largest = 1> (scores, k)
          ids = Reshape (experts, last)
          apart = Unsqueeze (x, one)
          spread = Expand (apart, copies)
          tokens = Reshape (spread, rows)
          columns = Unsqueeze (tokens, last)
          queries = Gather <axis = 0> (query, ids)
          projected = MatMul (queries, columns)
          q = Squeeze (projected, last)
          keys = MatMul (x, key)
          turned = Transpose <perm = [1, 0]> (keys)
          weights = MatMul (q, turned)
          shares = Softmax <axis = -1> (weights)
          values = MatMul (x, value)
          mixed = MatMul (shares, values)
          wide = Unsqueeze (mixed, last)
          merges = Gather <axis = 0> (merge, ids)
          out = MatMul (merges, wide)
          raw = Squeeze (out, last)
          list = Reshape (gates, last)
          gate = Unsqueeze (list, last)
          scaled = Mul (raw, gate)
          slots = Reshape (scaled, bySlot)
          routed = ReduceSum <keepdims = 0> (slots, one)
          y = Add (x, routed)
        }
        """;

    assertThat(find(text).blocks()).isEmpty();
    assertThat(find(text).refusals())
        .singleElement()
        .satisfies(refusal -> assertThat(refusal.reason()).contains("activations"));
  }

  private static void isRefused(String reason, String text) {
    MoeFinder.Findings findings = find(text);
    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals()).singleElement().asString().contains(reason);
  }

  /** Two experts and the sum of what they put out, weighted by columns of {@code p}. */
  private static final String IMAGES =
      """
      images (float[T, 3, 8, 8] x) => (float[...] y)
      <float[3, 2] router, float[3, 3, 1, 1] w0, float[3, 3, 1, 1] w1, float[3, 3] mix, int64[1] k = {1},
       int64 first = {0}, int64 second = {1}, int64[3] places = {1, 2, 3}, int64[2] middle = {2, 3}, float none = {0}>
      {
        pool = GlobalAveragePool (x)
        flat = Flatten (pool)
        l = MatMul (flat, router)
        p = Softmax (l)
        v, i = TopK (p, k)
        z = Mul (p, none)
        g = ScatterElements <axis = -1> (z, i, v)
        g0 = Gather <axis = 1> (g, first)
        g1 = Gather <axis = 1> (g, second)
        c0 = Conv (x, w0)
        c1 = Conv (x, w1)
        r0 = Relu (c0)
        r1 = Relu (c1)
        EXPERTS
        y = Add (t0, t1)
      }
      """;

  @Test
  void expertsThatPutOutImagesAreNamed() {
    isRefused(
        "an expert puts out 'r0', which a convolution makes, with channels before places",
        IMAGES.replace(
            "EXPERTS",
            """
            u0 = Unsqueeze (g0, places)
            u1 = Unsqueeze (g1, places)
            t0 = Mul (r0, u0)
            t1 = Mul (r1, u1)
            """));
  }

  @Test
  void aVectorOfWhatAConvolutionMadeIsNoImage() {
    MoeFinder.Findings findings =
        find(
            IMAGES.replace(
                "EXPERTS",
                """
                a0 = GlobalAveragePool (r0)
                a1 = GlobalAveragePool (r1)
                s0 = Squeeze (a0, middle)
                s1 = Squeeze (a1, middle)
                o0 = MatMul (s0, mix)
                o1 = MatMul (s1, mix)
                u0 = Unsqueeze (g0, k)
                u1 = Unsqueeze (g1, k)
                t0 = Mul (o0, u0)
                t1 = Mul (o1, u1)
                """));

    assertThat(findings.refusals()).isEmpty();
    assertThat(findings.blocks()).hasSize(1);
  }

  @Test
  void aRouterThatIsAConvolutionIsNamed() {
    isRefused(
        "chooses 1 by scores of Conv ",
        """
        pixels (float[T, 3, 8, 8] x) => (float[...] y)
        <float[2, 3, 1, 1] router, float[3, 3, 1, 1] w, int64[1] k = {1}>
        {
          l = Conv (x, router)
          p = Softmax <axis = 1> (l)
          v, i = TopK <axis = 1> (p, k)
          ids = Cast <to = 1> (i)
          c = Conv (x, w)
          y = Mul (c, ids)
        }
        """);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "g0 = Gather <axis = 1> (p, first) g1 = Gather <axis = 1> (p, second) u0 = Unsqueeze (g0, k) u1 = Unsqueeze (g1, k) t0 = Mul (o0, u0) t1 = Mul (u1, o1) y = Add (t0, t1)",
        "g0, g1 = Split <axis = 1> (p, parts) t0 = Mul (o0, g0) t1 = Mul (o1, g1) y = Add (t0, t1)",
        "u0 = Unsqueeze (o0, k) u1 = Unsqueeze (o1, k) s = Concat <axis = 1> (u0, u1) y = Einsum <equation = \"te,ted->td\"> (p, s)",
        "u0 = Unsqueeze (o0, k) u1 = Unsqueeze (o1, k) s = Concat <axis = 1> (u0, u1) u = Unsqueeze (p, k) y = MatMul (u, s)",
      })
  void gatesThatChooseNothingAreNamed(String weighted) {
    isRefused(
        "each token is computed by all 2 experts and weighted by this softmax; expected a router",
        """
        soft (float[T, 4] x) => (float[...] y)
        <float[4, 2] router, float[2] bias, float[4, 4] w0, float[4, 4] w1, int64 first = {0}, int64 second = {1},
         int64[1] k = {1}, int64[2] parts = {1, 1}>
        {
          l = Gemm (x, router, bias)
          p = Softmax (l)
          o0 = MatMul (x, w0)
          o1 = MatMul (x, w1)
          WEIGHTED
        }
        """
            .replace("WEIGHTED", weighted.replaceAll("(?<=\\)) (?=\\w)", "\n")));
  }

  @Test
  void attentionIsNoGate() {
    isNoBlock(
        """
        attention (float[T, 4] x) => (float[...] y)
        <float[4, 4] wq, float[4, 4] wk, float[2, 4] kept>
        {
          q = MatMul (x, wq)
          k = MatMul (x, wk)
          all = Concat <axis = 0> (kept, k)
          t = Transpose <perm = [1, 0]> (all)
          l = MatMul (q, t)
          p = Softmax (l)
          y = MatMul (p, all)
        }
        """);
  }
}
