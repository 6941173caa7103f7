package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Function;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** An edit of the canonical graph, written as the exporter would have. */
final class SpellingTest {
  private static Model model(String text, String... functions) {
    return FunctionsTest.model(
        text, Arrays.stream(functions).map(FunctionsTest::function).toArray(Function[]::new));
  }

  private static Model edited(Model model, Consumer<GraphEdit> change) {
    Canonical canonical = Canonical.of(model);
    GraphEdit edit = canonical.edit();
    change.accept(edit);
    return canonical.spelled(edit);
  }

  private static List<String> nodes(Model model) {
    return model.graph().nodes().stream().map(GraphText::print).toList();
  }

  private static final String FFN =
      "ffn (float a, float w) => (float b) { t = MatMul (a, w) b = Tanh (t) }";

  private static final String CALLS =
      """
      g (float x) => (float y) <float[1, 1] u, float[1, 1] v>
      { a = local.ffn (x, u) h = Neg (a) y = local.ffn (h, v) }
      """;

  @Test
  void givesNoNameOfWhatTheCanonicalGraphLacks() {
    Model before =
        model(
            """
            g (float[1, 2] x) => (float[1, 2] y, float[1, 6] u)
            <int64 three = {3}, int64[1] zero = {0}, int64[1] one = {1}>
            {
              side = Unsqueeze (three, zero)
              sizes = Concat <axis = 0> (one, side)
              u = Tile (x, sizes)
              t = Tanh (x)
              y = Neg (t)
            }
            """);

    Model written =
        edited(before, edit -> edit.redirect("t", edit.constant("three", Tensor.scalar(1f))));

    assertThat(written.graph().constant("three")).contains(before.graph().constant("three").get());
    assertThat(nodes(written)).contains("y = Neg (three_1)");
  }

  @Test
  void whatNoEditIsAboutIsWrittenAsItWas() {
    Model before =
        model(
            """
            g (float[2] x, bool c) => (float[2] y)
            <float[2] w, int64 three = {3}, int64[1] zero = {0}>
            {
              k = Constant <value_ints = [1, 2]> ()
              one = Unsqueeze (three, zero)
              same = Identity (x)
              sum = Sum (same, w, same)
              a = local.ffn (sum, w)
              y = If <then_branch = t () => (float[2] p) { p = local.ffn (a, w) },
                      else_branch = e () => (float[2] q) { q = Reshape (a, k) }> (c)
            }
            """,
            FFN);
    Model after = edited(before, edit -> {});

    assertThat(nodes(after))
        .isEqualTo(nodes(before).stream().filter(n -> !n.startsWith("one")).toList());
    assertThat(after.functions()).isEqualTo(before.functions());
    assertThat(after.opsets()).isEqualTo(before.opsets());
    assertThat(after.graph().initializers()).containsOnlyKeys("w");
  }

  @Test
  void aCallWithAnEditInsideIsWrittenAsItsNodes() {
    Model after = edited(model(CALLS, FFN), edit -> edit.redirect("a/t", "x"));

    assertThat(nodes(after)).containsExactly("a = Tanh (x)", "h = Neg (a)", "y = local.ffn (h, v)");
    assertThat(after.functions()).hasSize(1);
  }

  @Test
  void aCallThatReadsWhatWasRedirectedStaysACall() {
    Model after = edited(model(CALLS, FFN), edit -> edit.redirect("h", "a"));

    assertThat(nodes(after)).containsExactly("a = local.ffn (x, u)", "y = local.ffn (a, v)");
  }

  @Test
  void aCallOfWhichAnInnerValueIsReadIsWrittenAsItsNodes() {
    Model after =
        edited(
            model(CALLS, FFN),
            edit -> edit.redirect("h", edit.add("Abs", "n", List.of("a/t"), Map.of())));

    assertThat(nodes(after))
        .containsExactly("a/t = MatMul (x, u)", "n = Abs (a/t)", "y = local.ffn (n, v)");
  }

  /** An {@code If} that only leaves out work, and reads what an edit is about. */
  private static final String GUARDED =
      UnfoldingTest.DENSE
          .replace("float[T, 4] x,", "float[T, 4] a,")
          .replace("float[4, 4] w>", "float[4, 4] w, float[4] b>")
          .replace("  mask =", "  h = Neg (a)\n  x = Abs (h)\n  mask =")
          .replace(
              "scaled = Mul (out, gate)",
              "bias = Tanh (b)\n moved = Add (out, bias)\n scaled = Mul (moved, gate)");

  @Test
  void bodiesAreWrittenInTheirOrderBesideAnEdit() {
    assertThat(Canonical.of(model(GUARDED)).graph().nodes()).noneMatch(node -> node.is("If"));
    Model after = edited(model(GUARDED), edit -> edit.redirect("x", "h"));

    assertThat(nodes(after))
        .containsExactlyElementsOf(
            nodes(model(GUARDED.replace("  x = Abs (h)\n", "").replace("x,", "h,"))).stream()
                .map(node -> node.replace("(x)", "(h)"))
                .toList());
    assertThat(nodes(edited(model(LOOP), edit -> {}))).isEqualTo(nodes(model(LOOP)));
  }

  @Test
  void nodesOfACallAreWrittenInTheOrderOfTheFunction() {
    Model before =
        model(
            "g (float x) => (float y) { y = local.f (x) }",
            "f (float a) => (float b) { t = Exp (a) r = Neg (a) s = Tanh (r) b = Sub (t, s) }");
    Model after = edited(before, edit -> edit.redirect("y/r", "x"));

    assertThat(nodes(after))
        .containsExactly("y/t = Exp (x)", "y/s = Tanh (x)", "y = Sub (y/t, y/s)");
  }

  @Test
  void functionsThatNothingCallsAnyMoreAreGone() {
    Model after = edited(model(CALLS, FFN), edit -> edit.redirect("y", "x"));

    assertThat(after.functions()).isEmpty();
    assertThat(after.opsets()).containsOnlyKeys("");
  }

  @Test
  void anIdentityInAFunctionStaysWhereABodyOfItCapturesIt() {
    Model model =
        model(
            "g (bool c, float x) => (float y) { y = local.f (c, x) }",
            """
            f (bool c, float v) => (float o)
            {
              t = Identity (v)
              o = If <then_branch = a () => (float p) { p = Neg (t) },
                      else_branch = b () => (float q) { q = Abs (t) }> (c)
            }
            """);

    assertThat(Canonical.of(model).graph().captures()).isEmpty();
    assertThat(Canonical.of(model).graph().producer("y/t")).isPresent();
  }

  private static final String HITS =
      """
      g (float[A, B] m) => (int64[n] a, int64[n] b) <int64 none = {0}, int64 one = {1}>
      { h = NonZero (m) a = Gather (h, none) b = Gather (h, one) }
      """;

  @Test
  void anEditOfWhatSeveralStepsShareIsAnEditOfThemAll() {
    Model after =
        edited(
            model(HITS),
            edit ->
                edit.redirect(
                    "h/transposed", edit.add("Abs", "n", List.of("h/transposed"), Map.of())));

    assertThat(nodes(after)).noneMatch(node -> node.contains("Gather"));
    assertThat(nodes(edited(model(HITS), edit -> {}))).isEqualTo(nodes(model(HITS)));
  }

  private static final String LOOP =
      """
      g (float[T, 4] x) => (float[T, 4] z)
      <int64 rounds = {3}, float[3, 4, 4] w>
      {
        y = Loop <body = round (int64 i, bool more, float[...] before)
                      => (bool on, float[...] after) {
              on = Identity (more)
              row = Gather <axis = 0> (w, i)
              number = Cast <to = 1> (i)
              out = MatMul (before, row)
              after = Add (out, number)
            }> (rounds, , x)
        z = Neg (y)
      }
      """;

  @Test
  void aLoopIsWrittenWithoutTheRoundsThatHaveGone() {
    Model after = edited(model(LOOP), edit -> edit.redirect("after1", "after0"));

    Node loop = after.graph().nodes().get(0);
    assertThat(after.graph().integers(loop.input(0))).contains(new long[] {2});
    assertThat(loop.subgraphs().get(0).nodes())
        .extracting(GraphText::print)
        .containsExactly(
            "i/ids/kept = Gather (i/ids, i)",
            "on = Identity (more)",
            "row = Gather <axis = 0> (w/kept, i)",
            "number = Cast <to = 1> (i/ids/kept)",
            "out = MatMul (before, row)",
            "after = Add (out, number)");
    assertThat(after.graph().integers("i/ids")).contains(new long[] {0, 2});
    assertThat(after.graph().constant("w/kept")).contains(rows(0, 2));
    assertThat(after.graph().initializers()).doesNotContainKey("w");
  }

  private static Tensor rows(Integer... rows) {
    return GraphText.parse(LOOP).constant("w").orElseThrow().rows(List.of(rows));
  }

  @Test
  void aLoopWithoutItsLastRoundHandsOnWhatTheOneBeforeCarried() {
    Model after = edited(model(LOOP), edit -> edit.redirect("y", "after1"));

    assertThat(after.graph().nodes()).extracting(Node::opType).containsExactly("Loop", "Neg");
    assertThat(after.graph().constant("w/kept")).contains(rows(0, 1));
  }

  @Test
  void aLoopOfWhichNoRoundIsLeftIsGone() {
    Model after =
        edited(
            model(LOOP),
            edit -> {
              edit.redirect("after0", "x");
              edit.redirect("after1", "after0");
              edit.redirect("y", "after1");
            });

    assertThat(nodes(after)).containsExactly("z = Neg (x)");
    assertThat(after.graph().initializers()).isEmpty();
  }

  @Test
  void aLoopWithAnEditInARoundIsWrittenAsItsRounds() {
    Model after = edited(model(LOOP), edit -> edit.redirect("out1", "after0"));

    assertThat(after.graph().nodes()).noneMatch(node -> node.is("Loop"));
    assertThat(nodes(after)).contains("after1 = Add (after0, number1)");
  }

  private static final String STACK =
      """
      g (float[T, 2] x) => (float[T, 2] a, float[T, 2] b, float[T, 2] c)
      <float[4, 2, 2] bank, int64 id = {1}, int64[1] from = {3}, int64[1] to = {4},
       int64[1] zero = {0}, int64 first = {0}>
      {
        second = Gather (bank, id)
        last = Slice (bank, from, to, zero)
        fourth = Squeeze (last, zero)
        top = Gather (bank, first)
        a = MatMul (x, second)
        b = MatMul (x, fourth)
        c = MatMul (x, top)
      }
      """;

  @Test
  void rowsOfStackedConstantsGoWithTheirLastReader() {
    Model after = edited(model(STACK), edit -> edit.redirect("c", "x"));

    assertThat(nodes(after))
        .containsExactly(
            "second = Gather (bank/kept, bank/kept/row)",
            "last = Slice (bank/kept, bank/kept/row_1, bank/kept/row_2, zero)",
            "fourth = Squeeze (last, zero)",
            "a = MatMul (x, second)",
            "b = MatMul (x, fourth)",
            "c = Identity (x)");
    assertThat(after.graph().integers("bank/kept/row").orElseThrow()).containsExactly(0);
    assertThat(after.graph().integers("bank/kept/row_1").orElseThrow()).containsExactly(1);
    assertThat(after.graph().integers("bank/kept/row_2").orElseThrow()).containsExactly(2);
    assertThat(after.graph().constant("bank/kept").orElseThrow())
        .isEqualTo(GraphText.parse(STACK).constant("bank").orElseThrow().rows(List.of(1, 3)));
  }

  @Test
  void aStackThatSomethingElseReadsIsLeftWhole() {
    Model after =
        edited(
            model(STACK.replace("(x, fourth)", "(bank, fourth)")), edit -> edit.redirect("c", "x"));

    assertThat(after.graph().initializers()).containsKey("bank").doesNotContainKey("bank/kept");
  }

  @Test
  void aStackThatLostNoReaderIsLeftWhole() {
    Model after = edited(model(STACK), edit -> edit.redirect("a", "b"));

    assertThat(after.graph().initializers()).containsKey("bank/kept");
    assertThat(edited(model(STACK), edit -> {}).graph().initializers()).containsKey("bank");
  }
}
