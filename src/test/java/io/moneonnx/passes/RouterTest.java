package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import io.moneonnx.match.Matcher;
import org.junit.jupiter.api.Test;

class RouterTest {
  /** A graph from {@code x [T, 4]}, with 8 experts, that chooses 2. */
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        router (float[T, 4] x) => (float[T, 2] w, int64[T, 2] e)
        <float[8, 4] rows, float[4, 8] columns, float[8] bias, int64[1] k = {2},
         int64[1] last = {-1}, int64[1] first = {0}, float tiny = {1e-20}, float scale = {2.5},
         float limit = {0.02}, float low = {-inf}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsSoftmaxThenTopK() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            p = Softmax <axis = 1> (logits)
            w, e = TopK (p, k)
            """);
    assertThat(SoftmaxTopK.findAll(graph))
        .singleElement()
        .satisfies(
            found -> {
              assertThat(found.hidden()).isEqualTo("x");
              assertThat(found.router().value()).isEqualTo("columns");
              assertThat(found.k().tensor().toLongs()).containsExactly(2);
              assertThat(found.weights()).isEqualTo("w");
              assertThat(found.experts()).isEqualTo("e");
            });
  }

  @Test
  void takesNoSortForARouter() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            p = Softmax (logits)
            w, e = TopK <largest = 0> (p, k)
            """);
    assertThat(Router.findAll(graph)).isEmpty();
    assertThat(Matcher.why(graph, SoftmaxTopK.PATTERN).orElseThrow().message())
        .isEqualTo(
            "SoftmaxTopK: weights, experts = TopK <axis = -1 | 1, largest = 1> (probabilities, k):"
                + " at 'TopK -> w' found largest = 0, expected largest = 1");
  }

  @Test
  void takesNoTransposedWeightForAProjection() {
    Graph graph =
        graph(
            """
            logits = Gemm <transB = 0> (x, columns)
            p = Softmax (logits)
            w, e = TopK (p, k)
            """);
    assertThat(Router.findAll(graph)).isEmpty();
  }

  @Test
  void prefersThePatternThatExplainsMore() {
    Graph graph =
        graph(
            """
            flat = Reshape (x, last)
            logits = Gemm <transB = 1> (flat, rows)
            p = Softmax (logits)
            half = Cast <to = 10> (p)
            best, e = TopK (half, k)
            total = ReduceSum (best, last)
            w = Div (best, total)
            """);
    assertThat(Router.findAll(graph))
        .singleElement()
        .isInstanceOf(SoftmaxTopKRenormalised.class)
        .returns("x", Router::hidden)
        .returns("w", Router::weights);
    assertThat(SoftmaxTopK.findAll(graph)).hasSize(1);
  }

  @Test
  void wantsTheSumOfTheScoresItDivides() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            p = Softmax (logits)
            best, e = TopK (p, k)
            total = ReduceSum (p, last)
            w = Div (best, total)
            """);
    assertThat(SoftmaxTopKRenormalised.findAll(graph)).isEmpty();
  }

  @Test
  void wantsTheSumOverTheSlots() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            p = Softmax (logits)
            best, e = TopK (p, k)
            total = ReduceL1 (best, first)
            w = Div (best, total)
            """);
    assertThat(SoftmaxTopKRenormalised.findAll(graph)).isEmpty();
  }

  @Test
  void findsTopKThenSoftmax() {
    Graph graph =
        graph(
            """
            logits = Gemm <transB = 1> (x, rows, bias)
            best, e = TopK <axis = 1> (logits, k)
            w = Softmax <axis = 1> (best)
            """);
    assertThat(Router.findAll(graph, "experts", "e"))
        .singleElement()
        .isInstanceOf(TopKSoftmax.class);
  }

  @Test
  void takesNoSoftmaxOverTokens() {
    Graph graph =
        graph(
            """
            logits = Gemm <transB = 1> (x, rows, bias)
            best, e = TopK (logits, k)
            w = Softmax <axis = 0> (best)
            """);
    assertThat(TopKSoftmax.findAll(graph)).isEmpty();
  }

  @Test
  void findsScoresThatABiasSelectsAndAScaleMultiplies() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            s = Sigmoid (logits)
            biased = Add (bias, s)
            mask = Greater (biased, low)
            masked = Where (mask, low, biased)
            values, e = TopK <sorted = 0> (masked, k)
            kept = GatherElements <axis = 1> (s, e)
            total = ReduceSum (kept, last)
            stable = Add (total, tiny)
            share = Div (kept, stable)
            w = Mul (share, scale)
            """);
    assertThat(Router.findAll(graph))
        .singleElement()
        .isInstanceOf(SigmoidTopK.class)
        .returns("w", Router::weights);
  }

  @Test
  void findsScoresThatABiasSelectsWithoutTheStepsThatMayBeMissing() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            s = Sigmoid (logits)
            biased = Add (s, bias)
            values, e = TopK (biased, k)
            kept = GatherElements <axis = 1> (s, e)
            total = ReduceSum (kept, last)
            w = Div (kept, total)
            """);
    assertThat(Router.findAll(graph))
        .singleElement()
        .isInstanceOf(SigmoidTopK.class)
        .returns("w", Router::weights);
  }

  @Test
  void findsSharesThatABiasSelects() {
    String nodes =
        """
        logits = Gemm <transB = 1> (x, rows)
        s = Softmax (logits)
        biased = Add (s, bias)
        values, e = TopK (biased, k)
        kept = GatherElements <axis = 1> (s, e)
        total = ReduceSum (kept, last)
        stable = Clip (total, tiny)
        w = Div (kept, stable)
        """;
    assertThat(Router.findAll(graph(nodes)))
        .singleElement()
        .isInstanceOf(BiasedSoftmaxTopK.class)
        .returns("w", Router::weights);
    assertThat(BiasedSoftmaxTopK.findAll(graph(nodes.replace("Div (kept,", "Div (values,"))))
        .isEmpty();
  }

  @Test
  void findsScoresThatAreNotRescaled() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            s = Sigmoid (logits)
            biased = Add (s, bias)
            values, e = TopK (biased, k)
            w = GatherElements <axis = 1> (s, e)
            """);
    assertThat(Router.findAll(graph)).singleElement().isInstanceOf(SigmoidTopKUnscaled.class);
  }

  @Test
  void wantsTheScoresWithoutTheBias() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            s = Sigmoid (logits)
            biased = Add (s, bias)
            values, e = TopK (biased, k)
            w = GatherElements <axis = 1> (biased, e)
            """);
    assertThat(Router.findAll(graph)).isEmpty();
  }

  private static final String SPARSEMIXER =
      """
      logits = Gemm <transB = 1> (x, rows)
      a = ArgMax <axis = -1> (logits)
      farA = Greater (logits, limit)
      closeA = Where (farA, low, logits)
      pa = Softmax (closeA)
      wa = GatherElements <axis = -1> (pa, a)
      others = ScatterElements <axis = -1> (logits, a, low)
      b = ArgMax <axis = -1> (others)
      farB = Greater (others, limit)
      closeB = Where (farB, low, others)
      pb = Softmax (closeB)
      wb = GatherElements <axis = -1> (pb, b)
      w = Concat <axis = -1> (wa, wb)
      """;

  @Test
  void findsTheBestAndTheNextBest() {
    Graph graph = graph(SPARSEMIXER + "e = Concat <axis = -1> (a, b)");
    assertThat(Router.findAll(graph)).singleElement().isInstanceOf(Sparsemixer.class);
  }

  @Test
  void wantsWeightsAndExpertsInOneOrder() {
    Graph graph = graph(SPARSEMIXER + "e = Concat <axis = -1> (b, a)");
    assertThat(Router.findAll(graph)).isEmpty();
  }

  @Test
  void findsTheBestAlone() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            p = Softmax (logits)
            e = ArgMax <axis = -1, keepdims = 0> (p)
            w = ReduceMax <keepdims = 0> (p, last)
            """);
    assertThat(Router.findAll(graph)).singleElement().isInstanceOf(SwitchTop1.class);
  }

  @Test
  void takesNoBestTokenForABestExpert() {
    Graph graph =
        graph(
            """
            logits = MatMul (x, columns)
            p = Softmax (logits)
            e = ArgMax (p)
            w = ReduceMax <keepdims = 0> (p, last)
            """);
    assertThat(Router.findAll(graph)).isEmpty();
  }
}
