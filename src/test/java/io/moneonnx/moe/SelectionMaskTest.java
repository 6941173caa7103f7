package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SelectionMaskTest {
  /**
   * A router over 4 experts, 2 of which are chosen; the sum of routing weights is what comes out.
   */
  private static Graph router(String nodes) {
    return GraphText.parse(
        """
        g (float[T, 3] x) => (float[...] gates, int64[...] ids)
        <float[4, 3] router, float[4] linear, float[4] bias = {0.0, 9.0, 0.0, 0.0}, int64[1] k = {2},
         int64[3] grouped = {-1, 2, 2}, int64[2] flat = {-1, 4}, int64[1] last = {-1}, float low = {-9}>
        {
          logits = Gemm <transB = 1> (x, router, linear)
        %s
        }
        """
            .formatted(nodes));
  }

  private static final String SOFTMAX =
      """
        scores = Softmax <axis = -1> (logits)
        gates, ids = TopK <axis = -1> (scores, k)
      """;

  private static final String SIGMOID =
      """
        scores = Sigmoid (logits)
        biased = Add (scores, bias)
        best, ids = TopK <axis = -1> (biased, k)
        gates = GatherElements <axis = -1> (scores, ids)
      """;

  private static SelectionMask mask(Graph graph, Choice choice, String kind) {
    return SelectionMask.of(graph, new Routing(choice, 2, 4, 3, "x", "router", kind));
  }

  private static SelectionMask mask(Graph graph, String scores) {
    return mask(graph, new Choice.Indices("ids", scores), "unknown");
  }

  /** What expert 1 being gone changes. */
  private static String masked(String nodes, String scores) {
    Graph graph = router(nodes);
    SelectionMask mask = mask(graph, scores);
    assertThat(mask.objection()).isEmpty();
    Ops ops = new Ops(new GraphEdit(model(graph)), "m");
    mask.mask(ops, mask.gone(ops, Set.of(1)));
    List<String> before = graph.toString().lines().toList();
    return ops.edit()
        .apply()
        .graph()
        .toString()
        .lines()
        .filter(line -> !before.contains(line))
        .map(String::strip)
        .filter(line -> line.contains("("))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static Model model(Graph graph) {
    return new Model(graph, 8, Map.of("", 18L), Map.of(), UnknownFields.NONE);
  }

  @Test
  void masksTheLogitsOfASoftmax() {
    assertThat(masked(SOFTMAX, "scores"))
        .isEqualTo(
            """
            m/Where = Where (m/gone, m/never, logits)
            scores = Softmax <axis = -1> (m/Where)
            m/Where_1 = Where (m/gone, m/never_1, scores)
            gates, ids = TopK <axis = -1> (m/Where_1, k)
            """);
  }

  /** Shares of e^-200 are 0 like those of experts that are gone, of which 0 comes first. */
  @Test
  void prefersTheSmallestShareToNone() {
    Graph graph =
        GraphText.parse(
            """
            g (float[T, 1] x) => (float[...] gates, int64[...] ids)
            <float[1, 4] router = {0.0, 200.0, 0.0, 0.0}, int64[1] k = {2}>
            {
              logits = MatMul (x, router)
            %s
            }
            """
                .formatted(SOFTMAX));
    SelectionMask mask =
        SelectionMask.of(
            graph, new Routing(new Choice.Indices("ids", "scores"), 2, 4, 1, "x", "router", "a"));
    Ops ops = new Ops(new GraphEdit(model(graph)), "m");
    mask.mask(ops, mask.gone(ops, Set.of(0)));

    Map<String, Tensor> found =
        TinyMoe.run(
            ops.edit().apply(),
            Map.of("x", Tensor.of(List.of(1L, 1L), 1f)),
            List.of("gates", "ids"));

    assertThat(found.get("ids").toLongs()).containsExactly(1, 2);
    assertThat(found.get("gates").toFloats()).containsExactly(1, 0);
  }

  @Test
  void masksBiasedScoresWhereTheyAreChosenFrom() {
    assertThat(masked(SIGMOID, "biased"))
        .isEqualTo(
            """
            m/Where = Where (m/gone, m/never, biased)
            best, ids = TopK <axis = -1> (m/Where, k)
            """);
  }

  @Test
  void masksBothSidesOfASoftmaxThatIsBiased() {
    assertThat(masked(SIGMOID.replace("Sigmoid", "Softmax"), "biased"))
        .isEqualTo(
            """
            m/Where = Where (m/gone, m/never, logits)
            scores = Softmax (m/Where)
            m/Where_1 = Where (m/gone, m/never_1, biased)
            best, ids = TopK <axis = -1> (m/Where_1, k)
            """);
  }

  @Test
  void masksLogitsThatAreChosenFromAsTheyAre() {
    String nodes =
        """
          best, ids = TopK <axis = -1> (logits, k)
          gates = Softmax <axis = -1> (best)
        """;

    assertThat(masked(nodes, "logits"))
        .isEqualTo(
            """
            m/Where = Where (m/gone, m/never, logits)
            best, ids = TopK <axis = -1> (m/Where, k)
            """);
  }

  @Test
  void neverChoosesWhatIsGone() {
    for (String nodes : List.of(SOFTMAX, SIGMOID, SIGMOID.replace("Sigmoid", "Softmax"))) {
      Graph graph =
          TinyMoe.withInitializer(
                  TinyMoe.withInitializer(
                      model(router(nodes)), "router", Tensor.of(List.of(4L, 3L), new float[12])),
                  "linear",
                  Tensor.of(List.of(4L), 0f, 8f, 1f, 2f))
              .graph();
      SelectionMask mask = mask(graph, nodes.contains("biased") ? "biased" : "scores");
      Ops ops = new Ops(new GraphEdit(model(graph)), "m");
      mask.mask(ops, mask.gone(ops, Set.of(1)));

      Tensor x = Tensor.of(List.of(1L, 3L), 1f, 2f, 3f);
      Map<String, Tensor> found =
          TinyMoe.run(ops.edit().apply(), Map.of("x", x), List.of("ids", "scores"));
      assertThat(found.get("ids").toLongs()).containsExactly(3, 2);
      if (nodes.contains("Softmax")) {
        assertThat(found.get("scores").toFloats()[1]).isZero();
      }
    }
  }

  private static void isRefused(String nodes, String scores, String why) {
    assertThat(mask(router(nodes), scores).objection())
        .hasValueSatisfying(reason -> assertThat(reason).contains("'router'").contains(why));
  }

  @Test
  void refusesGroups() {
    isRefused(
        """
          scores = Sigmoid (logits)
          apart = Reshape (scores, grouped)
          best = ReduceMax <keepdims = 1> (apart, last)
          isBelow = Less (best, low)
          out = Where (isBelow, low, apart)
          within = Reshape (out, flat)
          gates, ids = TopK <axis = -1> (within, k)
        """,
        "within",
        "chooses groups of experts first (ReduceMax 'ReduceMax -> best')");
  }

  @Test
  void refusesScoresThatAreSplitIntoGroups() {
    isRefused(
        """
          scores = Sigmoid (logits)
          apart = Reshape (scores, grouped)
          gates, ids = TopK <axis = -1> (apart, k)
        """,
        "apart",
        "come from Reshape 'Reshape -> apart'");
  }

  @Test
  void refusesScoresThatMeetThoseOfOthers() {
    isRefused(
        """
          mean = ReduceMean <keepdims = 1> (logits, last)
          scores = Sub (logits, mean)
          gates, ids = TopK <axis = -1> (scores, k)
        """,
        "scores",
        "come from Sub 'Sub -> scores'");
  }

  @Test
  void refusesWhatIsScaledByAllScores() {
    isRefused(
        SIGMOID + "  total = ReduceSum <keepdims = 1> (scores, last)\n",
        "biased",
        "the scores 'scores' of the router 'router' are read by ReduceSum");
  }

  @Test
  void refusesScoresOfOtherExpertsThanTheChosen() {
    isRefused(
        SIGMOID.replace("(scores, ids)", "(scores, other)")
            + "  flipped = Neg (scores)\n  any, other = TopK <axis = -1> (flipped, k)\n",
        "biased",
        "'scores'");
  }

  @Test
  void refusesScoresThatTheModelPutsOut() {
    Graph graph = router(SIGMOID.replace("gates", "weights").replace("biased", "gates"));

    assertThat(mask(graph, "gates").objection())
        .hasValueSatisfying(reason -> assertThat(reason).endsWith("are an output of the model"));
  }

  @Test
  void refusesScoresOfAFusedOperatorThatAnotherReads() {
    String fused = "  gates = com.microsoft.MoE <k = 2> (x, logits, router)\n";
    Choice choice = new Choice.Hidden("logits", TieRule.LOWER_ID);

    assertThat(mask(router(fused), choice, "unknown").objection()).isEmpty();
    assertThat(mask(router(fused + "  ids = Mul (low, logits)\n"), choice, "unknown").objection())
        .hasValueSatisfying(reason -> assertThat(reason).contains("read by Mul 'Mul -> ids' too"));
  }

  @Test
  void refusesASoftmaxOverTokens() {
    isRefused(SOFTMAX.replace("axis = -1> (logits)", "axis = 0> (logits)"), "scores", "Softmax");
  }

  @Test
  void refusesChoicesThatAreNoOneTopK() {
    Graph graph = router(SOFTMAX);

    assertThat(mask(graph, new Choice.Capped("ids", "scores", "kept"), "unknown").objection())
        .hasValueSatisfying(reason -> assertThat(reason).contains("no capacity left"));
    assertThat(mask(graph, new Choice.Hidden("scores", TieRule.LOWER_ID), "Threshold").objection())
        .hasValueSatisfying(reason -> assertThat(reason).contains("comparing scores"));
    assertThat(mask(graph, new Choice.Indices("logits", "scores"), "unknown").objection())
        .hasValueSatisfying(reason -> assertThat(reason).contains("one expert after another"));
  }

  @ParameterizedTest
  @EnumSource
  void takesTheRouterOfEverySpelling(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);

    assertThat(SelectionMask.of(tiny.graph(), tiny.block().routing()).objection()).isEmpty();
  }
}
