package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RoutingFinderTest {
  private static final String SOFTMAX_TOP_K =
      """
      flat = Reshape (x, rows)
      logits = MatMul (flat, router)
      scores = Softmax (logits)
      w, e = TopK (scores, k)
      """;

  /** Something that multiplies what it computes from the ids {@code e} by a weight. */
  private static final String USE =
      """
      ids = Cast <to = 1> (e)
      y = MatMul (ids, use)
      """;

  /** A graph from {@code x [B, S, 4]}; routers choose from 8 experts. */
  private static Graph graph(String... nodes) {
    return GraphText.parse(
        """
        g (float[B, S, 4] x) => (float[...] y)
        <float[4, 8] router, float[8, 4] rowwise, float[8] bias, float[2, 4] use, float[4, 8] other,
         int64[1] k = {2}, int64 scalar = {2}, int64[2] rows = {-1, 4}, int64[1] last = {-1},
         int64[3] groups = {-1, 4, 2}, int64[2] flatScores = {-1, 8}, float low = {-inf},
         float[8, 4] embeddings, float one = {1}>
        {
        %s
        }
        """
            .formatted(String.join("", nodes)));
  }

  private static List<Routing> routings(Graph graph) {
    return new RoutingFinder(Canonical.of(graph).graph()).findAll();
  }

  @Test
  void findsWhatATopKChoosesFromASoftmax() {
    assertThat(routings(graph(SOFTMAX_TOP_K, USE)))
        .containsExactly(
            new Routing(new Choice.Indices("e", "scores"), 2, 8, 4, "x", "router", "SoftmaxTopK"));
  }

  @Test
  void readsTheWidthOfATransposedRouter() {
    String transposed =
        SOFTMAX_TOP_K.replace("MatMul (flat, router)", "Gemm <transB = 1> (flat, rowwise, bias)");

    assertThat(routings(graph(transposed, USE)))
        .singleElement()
        .returns(8, Routing::experts)
        .returns(4, Routing::hidden)
        .returns("rowwise", Routing::router);
  }

  @Test
  void readsKFromAFoldedShape() {
    String folded = "folded = Unsqueeze (scalar, last)\n" + SOFTMAX_TOP_K.replace("k)", "folded)");

    assertThat(routings(graph(folded, USE))).extracting(Routing::topK).containsExactly(2);
  }

  @Test
  void findsRoutersItHasNoNameFor() {
    String strange = SOFTMAX_TOP_K.replace("Softmax (logits)", "Softplus (logits)");

    assertThat(routings(graph(strange, USE))).extracting(Routing::kind).containsExactly("unknown");
  }

  @Test
  void findsTheBestOne() {
    assertThat(
            routings(
                graph(
                    """
                    logits = MatMul (x, router)
                    e = ArgMax <axis = -1> (logits)
                    """,
                    USE)))
        .singleElement()
        .returns(1, Routing::topK)
        .returns("logits", found -> found.choice().scores());
  }

  @Test
  void findsWhatAFusedOperatorChoosesWithin() {
    String fused =
        """
        flat = Reshape (x, rows)
        near = MatMul (flat, router)
        logits = Add (near, bias)
        y = com.microsoft.MoE <k = 2> (x, logits, use, , use)
        """;

    assertThat(routings(graph(fused)))
        .containsExactly(
            new Routing(
                new Choice.Hidden("logits", TieRule.LOWER_ID), 2, 8, 4, "x", "router", "unknown"));
    assertThat(routings(graph(fused.replace("microsoft", "example")))).isEmpty();
  }

  @Test
  void readsTheWidthOfAPackedRouter() {
    String packed =
        SOFTMAX_TOP_K.replace(
            "MatMul (flat, router)",
            "com.microsoft.MatMulNBits <K = 4, N = 8> (flat, rowwise, bias)");

    assertThat(routings(graph(packed, USE)))
        .singleElement()
        .returns(8, Routing::experts)
        .returns(4, Routing::hidden)
        .returns("rowwise", Routing::router);
    assertThat(routings(graph(packed.replace("rowwise", "flat"), USE))).isEmpty();
  }

  @Test
  void takesNoSortForAChoice() {
    assertThat(routings(graph(SOFTMAX_TOP_K.replace("TopK", "TopK <largest = 0>"), USE))).isEmpty();
  }

  @Test
  void wantsAConstantK() {
    String computed = "size = Shape (x)\n" + SOFTMAX_TOP_K.replace("k)", "size)");

    assertThat(routings(graph(computed, USE))).isEmpty();
  }

  @Test
  void wantsReadersOfTheIds() {
    assertThat(routings(graph(SOFTMAX_TOP_K, "y = Neg (w)"))).isEmpty();
  }

  @Test
  void wantsMoreExpertsThanAreChosen() {
    assertThat(routings(graph(SOFTMAX_TOP_K.replace("router", "narrow"), USE))).isEmpty();
  }

  @Test
  void countsOnlyTheLastChoiceBehindGroups() {
    List<Routing> routings =
        routings(
            graph(
                """
                logits = MatMul (x, router)
                scores = Sigmoid (logits)
                biased = Add (scores, bias)
                grouped = Reshape (biased, groups)
                pairs, inGroup = TopK (grouped, k)
                perGroup = ReduceSum <keepdims = 0> (pairs, last)
                best, group = TopK (perGroup, k)
                none = Mul (perGroup, low)
                chosen = ScatterElements <axis = -1> (none, group, best)
                kept = Greater (chosen, low)
                column = Unsqueeze (kept, last)
                masked = Where (column, grouped, low)
                flat = Reshape (masked, flatScores)
                values, e = TopK (flat, k)
                used = Neg (inGroup)
                """,
                USE));

    assertThat(routings)
        .singleElement()
        .returns("e", found -> found.choice().value())
        .returns("flat", found -> found.choice().scores())
        .returns(8, Routing::experts);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "best = ArgMax <axis = -1, keepdims = 1> (scores)",
        "value, best = TopK (scores, one)"
      })
  void takesTwoBestForOneChoice(String best) {
    List<Routing> routings =
        routings(
            graph(
                "one = Constant <value_ints = [1]> ()\n",
                "logits = MatMul (x, router)\n",
                best.replace("best", "first").replace("scores", "logits") + "\n",
                "others = ScatterElements <axis = -1> (logits, first, logits)\n",
                best.replace("best", "second").replace("value", "v").replace("scores", "others"),
                "\ne = Concat <axis = -1> (first, second)\n",
                USE));

    assertThat(routings)
        .singleElement()
        .returns("e", found -> found.choice().value())
        .returns("logits", found -> found.choice().scores())
        .returns(2, Routing::topK);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Slice (logits, {0}, {6}, {-1}) | 6",
        "Slice (logits, {0}, {-3}, {-1}) | 5",
        "Slice (logits, {2}, {99}, {2}) | 6",
        "Slice (logits, {0}, {6}, {1}) | 8",
        "Gather <axis = -1> (logits, {0 - 1 - 2}) | 3",
        "Sigmoid (logits) | 8",
      })
  void choosesAmongTheColumnsThatAreLeft(String rest, int experts) {
    List<String> nodes = new ArrayList<>(List.of("logits = MatMul (x, router)\n"));
    String call = rest;
    for (int i = 0; call.contains("{"); i++) {
      String list = call.substring(call.indexOf('{') + 1, call.indexOf('}'));
      nodes.add("c%d = Constant <value_ints = [%s]> ()\n".formatted(i, list.replace(" - ", ", ")));
      call = call.replaceFirst("\\{[^}]*}", "c" + i);
    }
    nodes.add("some = " + call + "\nscores = Sigmoid (some)\nw, e = TopK (scores, k)\n");
    nodes.add(USE);

    assertThat(routings(graph(nodes.toArray(String[]::new))))
        .extracting(Routing::experts)
        .containsExactly(experts);
  }

  @Test
  void takesNoScoresOfTwoProjections() {
    String two =
        """
        left = MatMul (x, router)
        right = MatMul (x, other)
        scores = Add (left, right)
        w, e = TopK (scores, k)
        """;

    assertThat(routings(graph(two, USE))).isEmpty();
    assertThat(routings(graph(two.replace("(left, right)", "(left, left)"), USE))).hasSize(1);
  }

  @Test
  void takesNoScoresOfActivationsForARouter() {
    String attention =
        SOFTMAX_TOP_K.replace("(flat, router)", "(flat, keys)").replace("flat =", "keys =");

    assertThat(routings(graph("flat = Neg (x)\n" + attention, USE))).isEmpty();
  }

  @Test
  void doesNotWalkThroughOperatorsThatNoRouterHas() {
    assertThat(
            routings(graph(SOFTMAX_TOP_K.replace("Softmax (logits)", "CumSum (logits, k)"), USE)))
        .isEmpty();
    assertThat(routings(graph(SOFTMAX_TOP_K.replace("Softmax (", "com.microsoft.Softmax ("), USE)))
        .isEmpty();
  }

  @Test
  void namesNoDecodingBehindALanguageModel() {
    Graph greedy =
        graph(
            """
            logits = MatMul (x, router)
            y = ArgMax <axis = -1> (logits)
            """);
    Graph beams =
        graph(
            """
            logits = MatMul (x, router)
            best, e = TopK (logits, k)
            words = Gather (embeddings, e)
            y = Add (words, one)
            """);

    for (Graph graph : List.of(greedy, beams)) {
      assertThat(routings(graph)).hasSize(1);
      assertThat(new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(graph).graph()))
          .isEqualTo(new MoeFinder.Findings(List.of(), List.of(), List.of(), List.of(), List.of()));
    }
  }

  @Test
  void refusesARouterBehindWhichNoKnownFormLies() {
    MoeFinder.Findings findings =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(graph(SOFTMAX_TOP_K, USE)).graph());

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(
            new Refusal(
                "e",
                "a router chooses 2 of 8, but no known form of experts depends on its choice"));
    assertThat(findings.misses()).hasSameSizeAs(Forms.all(Target.CPU));
  }

  private static List<Refusal> refusals(Graph graph) {
    MoeFinder.Findings findings =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(graph).graph());
    assertThat(findings.blocks()).isEmpty();
    return findings.refusals();
  }

  @Test
  void namesAProductThatItCannotRead() {
    String packed =
        SOFTMAX_TOP_K.replace(
            "MatMul (flat, router)",
            "com.microsoft.MatMulBnb4 <K = 4, N = 8> (flat, rowwise, bias)");

    assertThat(refusals(graph(packed, USE)))
        .containsExactly(
            new Refusal(
                "TopK -> w",
                "chooses 2 by scores of MatMulBnb4 'MatMulBnb4 -> logits'; expected a router that is"
                    + " MatMul, Gemm, MatMulInteger or MatMulNBits"));
    assertThat(refusals(graph(packed, "y = Gather (embeddings, e)"))).isEmpty();
    assertThat(refusals(graph(packed.replace("rowwise, bias", "flat, flat"), USE))).isEmpty();
  }

  private static final String BODY =
      """
      {
        n = MatMul (x, router)
        m = Softmax (n)
        v, i = TopK (m, k)
        ids = Cast <to = 1> (i)
        z = MatMul (ids, use)
      }""";

  @Test
  void namesTheBodiesThatHaveRouters() {
    String branches =
        "y = If <then_branch = t () => (float[...] z) %s, else_branch = e () => (float[...] z) %s>"
            + " (flag)\n";
    String expected =
        "its %s has 1 routed blocks, the first by the router 'router'; expected routers in the main"
            + " graph, not in a body of If";

    assertThat(refusals(graph("flag = Greater (one, low)\n", branches.formatted(BODY, BODY))))
        .containsExactly(
            new Refusal("If -> y", expected.formatted("then_branch")),
            new Refusal("If -> y", expected.formatted("else_branch")));
    assertThat(
            refusals(
                graph(
                    "flag = Greater (one, low)\n",
                    branches.formatted("{ z = Neg (x) }", "{ z = Abs (x) }"))))
        .isEmpty();
  }

  @Test
  void namesTheDecoderOfASearch() {
    Graph search =
        graph(
            """
            ids = Cast <to = 6> (x)
            y = com.microsoft.GreedySearch
                <decoder = d (int32[B, S] words) => (float[...] z) <int64[1] own = {2}> {
                  x2 = Gather (table, words)
                  n = MatMul (x2, router)
                  v, i = TopK (n, own)
                  other = Cast <to = 1> (i)
                  z = MatMul (other, use)
                }>
                (ids)
            """);

    assertThat(refusals(search))
        .extracting(Refusal::reason)
        .containsExactly(
            "its decoder has 1 routed blocks, the first by the router 'router'; expected routers in"
                + " the main graph, not in a body of GreedySearch");
  }
}
