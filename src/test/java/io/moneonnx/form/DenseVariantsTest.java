package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.NarrowMoe;
import io.moneonnx.OutputRules;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Other ways to write blocks down in which every expert computes every token, and near misses. */
final class DenseVariantsTest {
  /** Four experts, as wide as there are experts: no size tells the axes apart. */
  private static final TinyMoe STACKED = Spelling.STACKED.of(4, 2, 4);

  private static final TinyMoe COLUMNS = Spelling.COLUMNS.of(4, 2, 4);

  private static final TinyMoe PICKED = Spelling.PICKED.of(4, 2, 4);

  @TempDir Path folder;

  /** The stacked block with another computation behind its matrix of routing weights. */
  private static TinyMoe computing(String body) {
    String text = STACKED.text();
    String head = text.substring(0, text.indexOf("  copies ="));
    return new TinyMoe(Spelling.STACKED, 4, 2, 4, head + body + "  y = Add (x, routed)\n}\n");
  }

  private static TinyMoe scalingInputs() {
    return computing(
            """
              copies = Tile (x, repeats)
              turned = Transpose <perm = [1, 0]> (matrix)
              perCopy = Reshape (turned, column)
              given = Mul (copies, perCopy)
              tokens = Reshape (given, apart)
              in = MatMul (tokens, up)
              act = Tanh (in)
              raw = MatMul (act, down)
              again = Reshape (raw, apart)
              routed = ReduceSum <keepdims = 0> (again, zero)
            """)
        .with("int64[1] k", "int64[2] column = {-1, 1}, int64[1] k");
  }

  private static TinyMoe einsum() {
    return computing(
        """
          in = Einsum <equation = "th,ehi->tei"> (x, up)
          act = Tanh (in)
          routed = Einsum <equation = "tei,eih,te->th"> (act, down, matrix)
        """);
  }

  private static TinyMoe einsumOfOutputs() {
    return computing(
        """
          in = Einsum <equation = "th,ehi->eti"> (x, up)
          act = Tanh (in)
          raw = Einsum <equation = "eti,eih->teh"> (act, down)
          routed = Einsum <equation = "ab,abc->ac"> (matrix, raw)
        """);
  }

  private static TinyMoe expertsBehindTokens() {
    return computing(
        """
          in = Einsum <equation = "th,ehi->tei"> (x, up)
          act = Tanh (in)
          raw = Einsum <equation = "tei,eih->teh"> (act, down)
          gate = Unsqueeze (matrix, last)
          scaled = Mul (raw, gate)
          routed = ReduceSum <keepdims = 0> (scaled, one)
        """);
  }

  private static TinyMoe turnedWeights() {
    return computing(
            """
              turnedUp = Transpose <perm = [1, 2, 0]> (up)
              apartX = Unsqueeze (x, zero)
              in = MatMul (apartX, turnedUp)
              act = Tanh (in)
              raw = MatMul (act, down)
              turned = Transpose <perm = [1, 0]> (matrix)
              gate = Unsqueeze (turned, last)
              scaled = Mul (gate, raw)
              routed = ReduceSum <keepdims = 0> (scaled, zero)
            """)
        .with("float[4, 4, 5] up", "float[5, 4, 4] up");
  }

  private static TinyMoe biasedGlu() {
    return computing(
            """
              size = Shape (x)
              wide = Concat <axis = 0> (four, size)
              tokens = Expand (x, wide)
              product = MatMul (tokens, up)
              in = Add (product, bias)
              left = Slice (in, zero, four, two)
              right = Slice (in, one, five, two)
              small = Clip (left, , limit)
              act = Mul (small, right)
              raw = MatMul (act, narrow)
              turned = Transpose <perm = [1, 0]> (matrix)
              gate = Unsqueeze (turned, last)
              scaled = Mul (raw, gate)
              routed = ReduceSum <keepdims = 0> (scaled, zero)
            """)
        .with(
            "int64[1] k",
            "int64[1] four = {4}, int64[1] five = {5}, float limit = {1}, float[4, 1, 5] bias,"
                + " float[4, 4, 4] narrow, int64[1] k");
  }

  /** Outputs of separate experts side by side, weighed and summed by these nodes. */
  private static TinyMoe sideBySide(String axis, String weighed) {
    String text = PICKED.text();
    String head = text.substring(0, text.indexOf("  all ="));
    String matrix =
        """
          size = Shape (logits)
          nothing = ConstantOfShape <value = float[1] {0}> (size)
          matrix = ScatterElements <axis = 1> (nothing, experts, gates)
          turned = Transpose <perm = [1, 0]> (matrix)
          all = Concat <axis = %s> (row0, row1, row2, row3)
        """
            .formatted(axis);
    return new TinyMoe(
        Spelling.PICKED, 4, 2, 4, head + matrix + weighed + "\n  y = Add (x, routed)\n}\n");
  }

  private static TinyMoe stackTimesMatrix() {
    return sideBySide(
        "1", "gate = Unsqueeze (matrix, one) sum = MatMul (gate, all) routed = Squeeze (sum, one)");
  }

  private static TinyMoe stackWeighedAndSummed() {
    return sideBySide(
        "-2",
        "gate = Unsqueeze (matrix, last) scaled = Mul (all, gate)"
            + " routed = ReduceSum <keepdims = 0> (scaled, one)");
  }

  private static TinyMoe stackInFront() {
    return new TinyMoe(
        Spelling.PICKED,
        4,
        2,
        4,
        sideBySide(
                "0",
                "gate = Unsqueeze (turned, last) scaled = Mul (gate, all)"
                    + " routed = ReduceSum <keepdims = 0> (scaled, zero)")
            .text()
            .replaceAll("(row. = Unsqueeze .raw.), one", "$1, zero"));
  }

  private static TinyMoe stackInEinsum() {
    return sideBySide("1", "routed = Einsum <equation = \"te,teh->th\"> (matrix, all)");
  }

  private static TinyMoe oneHot() {
    return STACKED
        .with(
            "  matrix = ScatterElements <axis = 1> (zeros, experts, gates)\n",
            """
              hot = OneHot <axis = -1> (experts, depth, offOn)
              column = Unsqueeze (gates, last)
              perChoice = Mul (hot, column)
              matrix = ReduceSum <keepdims = 0> (perChoice, one)
            """)
        .with("int64[1] k", "int64 depth = {4}, float[2] offOn = {0, 1}, int64[1] k");
  }

  private static TinyMoe splitColumns() {
    TinyMoe tiny =
        COLUMNS
            .with(
                "  gate0 = Slice",
                "  all0, all1, all2, all3 = Split <axis = -1> (matrix, ones)\n  gate0 = Slice")
            .with("int64[1] k", "int64[4] ones = {1, 1, 1, 1}, int64[1] k");
    for (int e = 0; e < 4; e++) {
      tiny =
          tiny.with(
              "gate%1$d = Slice (matrix, from%1$d, to%1$d, one, one)".formatted(e),
              "gate%1$d = Identity (all%1$d)".formatted(e));
      tiny = tiny.with("  gate%1$d = Identity (all%1$d)\n".formatted(e), "");
      tiny = tiny.with("(raw%1$d, gate%1$d)".formatted(e), "(raw%1$d, all%1$d)".formatted(e));
    }
    return tiny;
  }

  private static TinyMoe sumThatBeginsWithZeros() {
    return COLUMNS.with(
        "  routed2 = Add (scaled0, scaled1)",
        """
              size = Shape (x)
              nothing = ConstantOfShape <value = float[1] {0}> (size)
              routed1 = Add (nothing, scaled0)
              routed2 = Add (routed1, scaled1)\
            """);
  }

  /** The sum of the experts' terms begins with the output of a shared expert. */
  private static TinyMoe beginningWith(String shared, String first) {
    return COLUMNS.with(
        "  routed2 = Add (scaled0, scaled1)",
        """
              own = Sigmoid (x)
              shared = %s
              routed1 = Add (%s)
              routed2 = Add (routed1, scaled1)\
            """
            .formatted(shared, first));
  }

  /** The best k are those that are not below the k-th best. */
  private static TinyMoe threshold() {
    TinyMoe tiny = COLUMNS;
    String text = tiny.text();
    String head = text.substring(0, text.indexOf("  scores ="));
    String tail = text.substring(text.indexOf("  gate0 ="));
    return new TinyMoe(
            tiny.spelling(),
            4,
            2,
            4,
            head
                + """
                  best, places = TopK <axis = -1, largest = 1> (logits, k)
                  least = Slice (best, last, far, one, one)
                  chosen = GreaterOrEqual (logits, least)
                  masked = Where (chosen, logits, never)
                  matrix = Softmax <axis = -1> (masked)
                """
                + tail)
        .with("int64[1] k", "int64[1] far = {1000}, float never = {-inf}, int64[1] k");
  }

  /** The sum of Python's {@code sum}, which begins with a scalar. */
  private static TinyMoe sumThatBeginsWithZero() {
    return COLUMNS
        .with("int64[1] k", "float nothing = {0}, int64[1] k")
        .with("(scaled0, scaled1)", "(routed1, scaled1)")
        .with("  routed2 =", "  routed1 = Add (nothing, scaled0)\n  routed2 =");
  }

  /** A loop whose experts read their rows of one bank. */
  private static TinyMoe inBanks(TinyMoe tiny) {
    TinyMoe banked = tiny.with("float[5, 4] up0", "float[4, 5, 4] up, int64 bankRow0 = {0}");
    for (int e = 0; e < 4; e++) {
      String cut = "  up%d = Gather <axis = 0> (up, bankRow%d)\n  in%d =".formatted(e, e, e);
      banked = banked.with("  in%d =".formatted(e), cut);
      banked =
          e == 0
              ? banked
              : banked.with("float[5, 4] up" + e, "int64 bankRow%d = {%d}".formatted(e, e));
    }
    return banked;
  }

  /** Tokens in two axes. */
  private static TinyMoe sequences(TinyMoe tiny) {
    return new TinyMoe(
        tiny.spelling(),
        4,
        2,
        4,
        tiny.text()
            .replace("(x, ", "(x3, ")
            .replace("Gemm <transB = 1> (x3, router)", "MatMul (x3, turnedRouter)")
            .replaceAll("Gemm <transB = 1> \\((\\w+), (\\w+)\\)", "MatMul ($1, $2)")
            .replaceAll("float\\[5, 4\\] up", "float[4, 5] up")
            .replaceAll("float\\[4, 5\\] down", "float[5, 4] down")
            .replace("float[4, 4] router", "float[4, 4] turnedRouter")
            .replace("<axis = 1> (zeros", "<axis = -1> (zeros")
            .replaceAll(
                "Slice \\(matrix, (\\w+), (\\w+), one, one\\)", "Slice (matrix, $1, $2, two, one)")
            .replace("  logits =", "  x3 = Unsqueeze (x, zero)\n  logits =")
            .replace("y = Add (x3, routed)", "flat = Squeeze (routed, zero)\n  y = Add (x, flat)"));
  }

  static Stream<Arguments> variants() {
    return Stream.of(
        Arguments.of("routing weights on the input", scalingInputs(), "stacked-dense"),
        Arguments.of("einsum", einsum(), "stacked-dense"),
        Arguments.of("einsum of outputs", einsumOfOutputs(), "stacked-dense"),
        Arguments.of("experts behind tokens", expertsBehindTokens(), "stacked-dense"),
        Arguments.of("turned weights", turnedWeights(), "stacked-dense"),
        Arguments.of("biases and slices", biasedGlu(), "stacked-dense"),
        Arguments.of("one-hot matrix", oneHot(), "stacked-dense"),
        Arguments.of("split columns", splitColumns(), "dense-loop"),
        Arguments.of("zeros first", sumThatBeginsWithZeros(), "dense-loop"),
        Arguments.of("zero first", sumThatBeginsWithZero(), "dense-loop"),
        Arguments.of(
            "shared expert first", beginningWith("Tanh (x)", "shared, scaled0"), "dense-loop"),
        Arguments.of(
            "shared expert second", beginningWith("Tanh (x)", "scaled0, shared"), "dense-loop"),
        Arguments.of(
            "weighed shared expert first",
            beginningWith("Mul (own, own)", "shared, scaled0"),
            "dense-loop"),
        Arguments.of("stacked banks", inBanks(COLUMNS), "dense-loop"),
        Arguments.of("stacked banks, picked", inBanks(PICKED), "dense-stack"),
        Arguments.of("stacked banks, sparse", inBanks(Spelling.DYNAMO.of(4, 2, 4)), "sparse-loop"),
        Arguments.of("stack times matrix", stackTimesMatrix(), "stacked-dense"),
        Arguments.of("stack weighed, summed", stackWeighedAndSummed(), "stacked-dense"),
        Arguments.of("stack in front", stackInFront(), "stacked-dense"),
        Arguments.of("stack in einsum", stackInEinsum(), "stacked-dense"),
        Arguments.of("threshold", threshold(), "dense-loop"),
        Arguments.of("sequences", sequences(COLUMNS), "dense-loop"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void areObservedAndRewrittenAsTheOracleSays(String name, TinyMoe tiny, String form) {
    MoeBlock block = tiny.block();
    Model model = tiny.model();
    Map<String, Tensor> feeds = Map.of("x", tiny.tokens(30, 1));

    assertThat(block.form()).as(name).isEqualTo(form);
    assertThat(
            new Calibrator(
                    Canonical.of(model).model(), Path.of(""), List.of(block), RunOptions.cpu())
                .run(List.of(feeds))
                .disproved())
        .isEmpty();
    for (List<Integer> pruned : List.of(List.of(1), List.of(0, 3), List.of(0, 1, 2, 3))) {
      Map<String, Replacement> replacements = Map.of(block.name(), replacement(pruned));
      Model rewritten = Rewriter.rewrite(Canonical.of(model), List.of(block), replacements);
      Path file = folder.resolve("rewritten" + pruned.size() + ".onnx");
      OnnxWriter.write(rewritten, file, Placement.INLINE);
      Verdict verdict =
          new Proof(
                  Canonical.of(model).model(),
                  folder,
                  List.of(block),
                  replacements,
                  RunOptions.cpu())
              .of(file, List.of(feeds));

      assertThat(verdict.holds()).as(verdict.text()).isTrue();
      OutputRules.hold(model, rewritten);
      assertThat(rewritten.graph().initializers())
          .doesNotContainKeys("up", "down", "bias", "up0".repeat(pruned.contains(0) ? 1 : 2));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("variants")
  void areNarrowedAsTheOracleSays(String name, TinyMoe tiny, String form) {
    if (tiny.block().ffn().isEmpty()) {
      assertThatThrownBy(() -> NarrowMoe.proved(tiny, folder))
          .hasMessageContaining("what its experts compute is not known");
      return;
    }
    NarrowMoe.proved(tiny, folder);
  }

  private static Replacement replacement(List<Integer> experts) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    experts.forEach(e -> novices.put(e, new float[] {0.5f * e, 1, -0.25f, 2}));
    return Replacement.byNovices(novices);
  }

  @Test
  void tellsWhereRoutingWeightsMultiply() {
    assertThat(scalingInputs().block().routingWeights())
        .isEqualTo(new RoutingWeights.OnInput("matrix"));
    assertThat(einsum().block().routingWeights()).isEqualTo(new RoutingWeights.PerExpert("matrix"));
  }

  @Test
  void choosesByThresholdWithinTheScores() {
    MoeBlock block = threshold().block();

    assertThat(block.routing().choice().value()).isEqualTo("logits");
    assertThat(block.routing().kind()).isEqualTo("Threshold");
    assertThat(block.routingWeights()).isEqualTo(new RoutingWeights.PerExpert("matrix"));
  }

  @Test
  void cutsShapesOnlyWhereTheBlockReadsThem() {
    TinyMoe tiny =
        STACKED
            .with("y = Add (x, routed)", "beside = Tile (x, repeats)\n  y = Add (x, routed)")
            .with("(float[T, 4] y)", "(float[T, 4] y, float[...] beside)");
    Model after =
        Rewriter.rewrite(
            Canonical.of(tiny.model()),
            List.of(tiny.block()),
            Map.of("experts", replacement(List.of(1))));

    assertThat(after.graph().constant("repeats").orElseThrow().toLongs()).containsExactly(4, 1);
    assertThat(after.graph().producer("beside").orElseThrow().input(1)).isEqualTo("repeats");
    assertThat(after.graph().producer("copies").orElseThrow().input(1)).isNotEqualTo("repeats");
  }

  private static void refuses(TinyMoe near, String... reasons) {
    assertThat(near.find().blocks()).isEmpty();
    assertThat(near.find().refusals())
        .singleElement()
        .extracting(Refusal::reason)
        .asString()
        .contains(reasons);
  }

  @Test
  void wantsOperatorsThatKeepExpertsApart() {
    refuses(
        STACKED.with("act = Tanh (in)", "act = Softmax <axis = 0> (in)"),
        "stacked-dense: 'Softmax -> act' (Softmax) is not known to keep the experts apart");
    refuses(
        STACKED.with("act = Tanh (in)", "act = CumSum (in, zero)"),
        "'CumSum -> act' (CumSum) is not known to keep the experts apart");
    refuses(
        STACKED.with(
            "act = Tanh (in)",
            "q, scale, middle = DynamicQuantizeLinear (in)\n  act = DequantizeLinear (q, scale, middle)"),
        "(DynamicQuantizeLinear) quantises all experts by one scale, which those that are left would"
            + " change");
  }

  @Test
  void wantsConstantStacks() {
    refuses(
        STACKED.with(" float[4, 4, 5] up,", "").withInput("float[4, 4, 5] up"),
        "'up' is given to the model; expected a constant or what is made of one");
  }

  @Test
  void wantsAStackForEveryExpert() {
    refuses(
        STACKED
            .with("float[4, 5, 4] down", "float[3, 5, 4] down")
            .with("raw = MatMul (act, down)", "raw = MatMul (act, down)"),
        "the constant 'down' [3, 5, 4] is read where 4 experts were expected along axis 0");
  }

  @Test
  void wantsRoutingWeightsBeforeOrBehindTheExperts() {
    refuses(
        STACKED
            .with("raw = MatMul (act, down)\n", "")
            .with(
                "scaled = Mul (raw, gate)",
                "some = Mul (act, gate)\n  scaled = MatMul (some, down)"),
        "the routing weights 'matrix' meet the experts amid their computation, in 'Mul -> some'");
  }

  @Test
  void wantsTheIdsAsTheyWereChosen() {
    for (TinyMoe tiny : List.of(STACKED, COLUMNS)) {
      refuses(
          tiny.with("(zeros, experts, gates)\n", "(zeros, near, gates)\n")
              .with("  shape =", "  near = Clip (experts, lowest)\n  shape =")
              .with("int64[1] k", "int64 lowest = {1}, int64[1] k"),
          "the ids are changed by Clip 'Clip -> near'");
    }
    refuses(
        PICKED.with(
            "column = Unsqueeze (experts",
            "later = Add (experts, one)\n  column = Unsqueeze (later"),
        "dense-stack: 'places' picks the rows; expected the routing indices",
        "the ids are changed by Add 'Add -> later'");
  }

  @Test
  void wantsAllOutputsSideBySide() {
    assertThat(PICKED.with("(row0, row1, row2, row3)", "(row0, row1, row2)").find().misses())
        .extracting(Refusal::reason)
        .contains("dense-stack: 3 outputs are concatenated in 'Concat -> all'; expected 4");
  }

  @Test
  void wantsOneOutputOfEachExpertInAStack() {
    TinyMoe pairs =
        stackWeighedAndSummed()
            .with("(row0, row1, row2, row3)", "(row01, row23)")
            .with(
                "  all =",
                "  row01 = Concat <axis = 1> (row0, row1)\n  row23 = Concat <axis = 1> (row2, row3)\n"
                    + "  all =");

    assertThat(pairs.find().blocks()).isEmpty();
    assertThat(pairs.find().misses())
        .extracting(Refusal::reason)
        .contains("stacked-dense: 'Concat -> all' (Concat) is not known to keep the experts apart");
  }

  @Test
  void wantsNobodyElseToReadTheExperts() {
    refuses(
        STACKED.with(
            "y = Add (x, routed)",
            "other = ReduceMax <keepdims = 0> (raw)\n  both = Add (routed, other)\n"
                + "  y = Add (x, both)"),
        "'raw', inside the experts, is read outside the block too; expected all through 'routed'");
  }

  @Test
  void wantsNobodyElseToReadOneExpert() {
    refuses(
        PICKED.with("y = Add (x, routed)", "both = Add (routed, raw3)\n  y = Add (x, both)"),
        "'raw3', inside the experts, is read outside the block too; expected all through 'routed'");
  }

  @Test
  void readsOutputsOfAllExpertsFromOneValue() {
    assertThat(STACKED.block().claim().layout().rows(null))
        .isEqualTo(new Rows.Stacked("raw", 0, 3));
    assertThat(expertsBehindTokens().block().claim().layout().rows(null))
        .isEqualTo(new Rows.Stacked("raw", 1, 3));
  }
}
