package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Routers of 12 experts in 4 groups of 3, of which two are chosen, and 3 experts from these. The
 * router's weight is the unit matrix, so that a token is its own logits; what must be chosen is
 * worked out here, expert by expert.
 */
final class GroupedRouterTest {
  private static final int EXPERTS = 12;
  private static final int SIZE = 3;
  private static final int TOKENS = 400;

  private static final String SIGMOID =
      """
        scores = Sigmoid (logits)
        biased = Add (scores, bias)
      """;

  private static final String SOFTMAX =
      """
        scores = Softmax <axis = -1> (logits)
        biased = Identity (scores)
      """;

  private static final String TWO =
      """
        two, places = TopK <axis = -1> (apart, few)
        ranks = ReduceSum <keepdims = 0> (two, last)
      """;

  private static final String BEST = "  ranks = ReduceMax <keepdims = 0> (apart, last)\n";

  private static final String DROPPED =
      """
        isKept = Cast <to = 9> (flat)
        isOut = Not (isKept)
        limited = Where (isOut, low, biased)
      """;

  private static final String KEPT =
      """
        isKept = Cast <to = 9> (flat)
        limited = Where (isKept, biased, low)
      """;

  private static final String SCALED = "  limited = Mul (flat, biased)\n";

  private static String text(String scores, String ranks, String limit) {
    return """
    g (float[T, 12] x) => (float[...] gates, int64[...] ids)
    <float[12, 12] router, float[12] bias, int64[1] k = {3}, int64[1] few = {2}, int64[1] most = {2},
     int64[3] sizes = {-1, 4, 3}, int64[2] all = {-1, 12}, int64[3] each = {1, 1, 3},
     int64[1] last = {-1}, int64[1] middle = {1}, float none = {0}, float one = {1}, float low = {-inf}>
    {
      logits = Gemm <transB = 1> (x, router)
    %s
      apart = Reshape (biased, sizes)
    %s
      best, groups = TopK <axis = -1, sorted = 0> (ranks, most)
      size = Shape (ranks)
      zeros = Expand (none, size)
      chosen = Shape (groups)
      ones = Expand (one, chosen)
      marked = ScatterElements <axis = 1> (zeros, groups, ones)
      column = Unsqueeze (marked, last)
      spread = Expand (column, each)
      flat = Reshape (spread, all)
    %s
      top, ids = TopK <axis = -1, sorted = 0> (limited, k)
      gates = GatherElements <axis = 1> (scores, ids)
    }
    """
        .formatted(scores, ranks, limit);
  }

  private static float[] bias() {
    Random random = new Random(5);
    float[] bias = new float[EXPERTS];
    for (int i = 0; i < bias.length; i++) {
      bias[i] = (float) random.nextGaussian() - 0.5f; // below what is not chosen, now and then
    }
    return bias;
  }

  private static Model model(String text) {
    Model model =
        new Model(GraphText.parse(text), 8, Map.of("", 18L), Map.of(), UnknownFields.NONE);
    float[] unit = new float[EXPERTS * EXPERTS];
    IntStream.range(0, EXPERTS).forEach(i -> unit[i * EXPERTS + i] = 1);
    Tensor router = Tensor.of(List.of((long) EXPERTS, (long) EXPERTS), unit);
    return TinyMoe.withInitializer(
        TinyMoe.withInitializer(model, "router", router),
        "bias",
        Tensor.of(List.of((long) EXPERTS), bias()));
  }

  private static Routing routing() {
    Choice choice = new Choice.Indices("ids", "limited");
    return new Routing(choice, 3, EXPERTS, EXPERTS, "x", "router", "unknown");
  }

  private static Tensor tokens() {
    Random random = new Random(7);
    float[] x = new float[TOKENS * EXPERTS];
    for (int i = 0; i < x.length; i++) {
      x[i] = 2 * (float) random.nextGaussian();
    }
    return Tensor.of(List.of((long) TOKENS, (long) EXPERTS), x);
  }

  /** A router, and which of its experts go. */
  record Case(
      boolean isSoftmax, boolean isSum, String limit, boolean isInfinite, Set<Integer> gone) {
    Model model() {
      String text = text(isSoftmax ? SOFTMAX : SIGMOID, isSum ? TWO : BEST, limit);
      return GroupedRouterTest.model(isInfinite ? text : text.replace("low = {-inf}", "low = {0}"));
    }

    /** What stands for scores of experts in groups that are not chosen. */
    float low() {
      return isInfinite && !limit.equals(SCALED) ? Float.NEGATIVE_INFINITY : 0;
    }
  }

  static Stream<Case> cases() {
    List<Set<Integer>> gone =
        List.of(
            Set.of(),
            Set.of(1, 5, 6, 9), // one of each
            Set.of(0, 1, 4), // some groups cannot be ranked by two
            Set.of(3, 4, 5, 7), // a group is empty
            Set.of(0, 1, 2, 9, 10, 11)); // there is no choice of groups left
    return Stream.of(true, false)
        .flatMap(
            isSoftmax ->
                Stream.of(true, false)
                    .flatMap(
                        isSum ->
                            Stream.of(DROPPED, KEPT, SCALED)
                                .flatMap(
                                    limit ->
                                        gone.stream()
                                            .flatMap(
                                                g ->
                                                    Stream.of(
                                                        new Case(isSoftmax, isSum, limit, true, g),
                                                        new Case(
                                                            isSoftmax, isSum, limit, false, g))))));
  }

  /** The best of these by what they score; the lower one of two that score alike. */
  private static List<Integer> best(List<Integer> of, int k, IntToDoubleFunction score) {
    return of.stream()
        .sorted(
            Comparator.<Integer>comparingDouble(i -> -score.applyAsDouble(i))
                .thenComparingInt(i -> i))
        .limit(k)
        .toList();
  }

  /** What each expert of a token is weighed by: a sigmoid, or its share among those that stay. */
  private static double[] weights(Case router, float[] logits) {
    double[] weights = new double[EXPERTS];
    for (int e = 0; e < EXPERTS; e++) {
      boolean isGone = router.gone().contains(e);
      weights[e] =
          router.isSoftmax()
              ? isGone ? 0 : Math.exp(logits[e])
              : 1 / (1 + Math.exp(-(double) logits[e]));
    }
    double total = router.isSoftmax() ? Arrays.stream(weights).sum() : 1;
    return Arrays.stream(weights).map(weight -> weight / total).toArray();
  }

  private static Set<Integer> chosen(Case router, double[] weights) {
    double[] scores = new double[EXPERTS];
    float[] bias = bias();
    for (int e = 0; e < EXPERTS; e++) {
      double biased = weights[e] + (router.isSoftmax() ? 0 : bias[e]);
      scores[e] = router.gone().contains(e) ? Double.NEGATIVE_INFINITY : biased;
    }
    List<Integer> groups =
        best(
            IntStream.range(0, EXPERTS / SIZE).boxed().toList(),
            2,
            group ->
                IntStream.range(group * SIZE, (group + 1) * SIZE)
                    .mapToObj(e -> scores[e])
                    .sorted(Comparator.reverseOrder())
                    .limit(router.isSum() ? 2 : 1)
                    .mapToDouble(score -> score)
                    .sum());
    List<Integer> left =
        IntStream.range(0, EXPERTS).filter(e -> !router.gone().contains(e)).boxed().toList();
    return Set.copyOf(best(left, 3, e -> groups.contains(e / SIZE) ? scores[e] : router.low()));
  }

  private static void agrees(Case router, Map<String, Tensor> found) {
    float[] logits = tokens().toFloats();
    long[] ids = found.get("ids").toLongs();
    float[] gates = found.get("gates").toFloats();
    for (int token = 0; token < TOKENS; token++) {
      double[] weights =
          weights(router, Arrays.copyOfRange(logits, token * EXPERTS, (token + 1) * EXPERTS));
      int first = token * 3;
      Set<Integer> taken =
          IntStream.range(first, first + 3).mapToObj(i -> (int) ids[i]).collect(Collectors.toSet());
      assertThat(taken).as("token %d", token).isEqualTo(chosen(router, weights));
      for (int i = first; i < first + 3; i++) {
        assertThat((double) gates[i]).isCloseTo(weights[(int) ids[i]], within());
      }
    }
  }

  private static Offset<Double> within() {
    return Offset.offset(1e-6);
  }

  private static Map<String, Tensor> run(Model model) {
    return TinyMoe.run(model, Map.of("x", tokens()), List.of("ids", "gates"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void choosesAmongTheOthersAsIfTheyScoredMinusInfinity(Case router) {
    Model model = router.model();
    SelectionMask mask = SelectionMask.of(model.graph(), routing());
    RouterCut cut = RouterCut.of(model.graph(), routing());
    assertThat(cut.objection(router.gone())).isEmpty();
    Ops masked = new Ops(new GraphEdit(model), "m");
    mask.mask(masked, mask.gone(masked, router.gone()));
    agrees(router, run(masked.edit().apply()));

    if (!router.gone().isEmpty()) {
      Ops without = new Ops(new GraphEdit(model), "m");
      cut.apply(without, router.gone());
      Graph after = without.edit().apply().graph();
      assertThat(after.initializers()).doesNotContainKey("router");
      agrees(router, run(without.edit().apply()));
    }
  }

  private static String refused(String text) {
    Graph graph = model(text).graph();
    return SelectionMask.of(graph, routing()).objection().orElse("taken");
  }

  private static final String COMPLETE = text(SIGMOID, TWO, DROPPED);

  @Test
  void masksTheScoresOfGroupsAndOfExperts() {
    Model model = model(COMPLETE);
    Ops ops = new Ops(new GraphEdit(model), "m");
    SelectionMask mask = SelectionMask.of(model.graph(), routing());
    mask.mask(ops, mask.gone(ops, Set.of(1)));

    assertThat(ops.edit().apply().graph().toString())
        .contains("m/Where = Where (m/gone, m/never, biased)")
        .contains("apart = Reshape (m/Where, sizes)")
        .contains("limited = Where (isOut, low, m/Where)")
        .contains("m/Where_1 = Where (m/gone, m/never_1, limited)")
        .contains("top, ids = TopK <axis = -1, sorted = 0> (m/Where_1, k)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        // groups of which every second, third, ... expert is one
        "column = Unsqueeze (marked, last); column = Unsqueeze (marked, middle)",
        // all but the best groups
        "limited = Where (isOut, low, biased); limited = Where (isKept, low, biased)",
        "float one = {1}; float one = {0}",
        "float none = {0}; float none = {1}",
        // what is not chosen would be chosen
        "low = {-inf}; low = {7}",
        // groups ranked by other scores than experts
        "apart = Reshape (biased, sizes); apart = Reshape (scores, sizes)",
        // the worst of a group
        "TopK <axis = -1> (apart, few); TopK <axis = -1, largest = 0> (apart, few)",
        // groups of two models' experts
        "sizes = {-1, 4, 3}; sizes = {-1, 4, 6}"
      })
  void refusesWhatIsNotUnderstood(String from, String to) {
    assertThat(refused(COMPLETE)).isEqualTo("taken");
    assertThat(COMPLETE).contains(from);
    assertThat(refused(COMPLETE.replace(from, to)))
        .startsWith("the router 'router' chooses groups of experts first (");
  }

  /** Up to opset 17 the axes of a maximum are an attribute. */
  @Test
  void readsAxesThatAreAnAttribute() {
    String best = "  ranks = ReduceMax <axes = [-1], keepdims = 0> (apart)\n";

    assertThat(refused(text(SOFTMAX, best, DROPPED))).isEqualTo("taken");
    assertThat(refused(text(SOFTMAX, best.replace("-1", "1"), DROPPED)))
        .startsWith("the router 'router' chooses groups of experts first (");
  }

  @Test
  void refusesAnotherReaderOfTheGroups() {
    assertThat(refused(COMPLETE.replace("float[...] gates", "float[...] gates, float[...] ranks")))
        .isEqualTo("the scores 'ranks' of the router 'router' are an output of the model");
    assertThat(
            refused(COMPLETE.replace("  chosen = Shape", "  other = Neg (best)\n  chosen = Shape")))
        .isEqualTo("the scores 'best' of the router 'router' are read by Neg 'Neg -> other' too");
  }

  private static String objection(String ranks, Integer... gone) {
    Graph graph = model(text(SIGMOID, ranks, DROPPED)).graph();
    return RouterCut.of(graph, routing()).objection(Set.of(gone)).orElse("none");
  }

  @Test
  void leavesAsManyToTheGroupsAsAreChosen() {
    assertThat(objection(BEST, 0, 1, 3)).isEqualTo("none");
    assertThat(objection(BEST, 0, 1, 9, 11))
        .isEqualTo(
            "it chooses 2 of 4 groups of 3 experts, and from these 3 experts, but would find only 2"
                + " in 0-2 and 9-11: prune fewer, or protect some of these (--protect)");
    assertThat(objection(BEST, 0, 1, 2, 3, 4, 6)).isEqualTo("none"); // the empty one never leads
    assertThat(objection(BEST, 0, 1, 2, 3, 4, 6, 7)).contains("find only 2 in 3-5 and 6-8");
  }

  @Test
  void countsOutGroupsThatCannotBeRanked() {
    assertThat(objection(TWO, 0, 1, 9, 11)).isEqualTo("none"); // others are ranked before these
    assertThat(objection(TWO, 0, 1, 3, 4, 9, 11)).isEqualTo("none"); // 6-8 is always chosen
    assertThat(objection(TWO, 0, 1, 3, 4, 6, 7, 9, 11)).contains("find only 2 in 0-2 and 3-5");
  }

  @Test
  void leavesAsManyAsAreChosen() {
    assertThat(objection(TWO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
        .isEqualTo("2 of 12 experts would be left to a router that is cut and chooses 3");
  }
}
