package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class BlockCutTest {
  private static Model model(String text) {
    return new Model(GraphText.parse(text), 8, Map.of("", 18L), Map.of(), UnknownFields.NONE);
  }

  private static final Model MODEL =
      model(
          """
          g (float[T, 4] tokens, float[T, 4] other) => (float[T, 4] y)
          <float[4, 4] before, float[4, 4] within, float[4, 4] behind, float two = {2}>
          {
            h = MatMul (tokens, before)
            size = Shape (tokens)
            zeros = Expand (two, size)
            a = MatMul (h, within)
            gated = Mul (a, other)
            routed = Add (gated, zeros)
            beside = Neg (h)
            sum = Add (routed, beside)
            y = MatMul (sum, behind)
          }
          """);

  @Test
  void hasABorderOfWhatIsNotComputedFromItsInput() {
    BlockCut cut = BlockCut.of(MODEL, List.of("h"), "routed");

    assertThat(cut.inputs()).containsExactly("h", "other", "zeros");
  }

  /** What makes a value of the border reads constants of its own, and is outside all the same. */
  @Test
  void endsAtItsBorderThoughItIsMadeOfNewConstants() {
    BlockCut cut = BlockCut.of(MODEL, List.of("a"), "gated", value -> !value.equals("within"));

    assertThat(cut.inputs()).containsExactly("a", "other");
  }

  @Test
  void holdsTheNodesBetweenItsBorders() {
    Graph cut =
        BlockCut.of(MODEL, List.of("h"), "routed")
            .model(
                Map.of(
                    "h", ElementType.FLOAT, "other", ElementType.FLOAT, "zeros", ElementType.FLOAT),
                Value.untyped("routed", ElementType.FLOAT))
            .graph();

    assertThat(cut)
        .hasToString(
            """
            block (float[...] h, float[...] other, float[...] zeros) => (float[...] routed)
            <float[4, 4] within>
            {
              a = MatMul (h, within)
              gated = Mul (a, other)
              routed = Add (gated, zeros)
            }
            """);
  }

  @ParameterizedTest
  @EnumSource
  void computesWhatTheWholeModelDoes(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    Model model =
        model(
            tiny.with("[T, 4] x)", "[T, 4] text)")
                .with("  logits =", "  x = Tanh (text)\n  logits =")
                .text());
    BlockCut cut = BlockCut.of(model, List.of("x"), "routed");
    Map<String, Tensor> feeds = Map.of("text", tiny.tokens(20, 1));
    Map<String, Tensor> whole = TinyMoe.run(model, feeds, List.of("x", "routed"));
    Model alone = cut.model(Map.of("x", ElementType.FLOAT), Value.undeclared("routed"));

    assertThat(cut.inputs()).containsExactly("x");
    assertThat(alone.graph().producer("y")).isEmpty();
    assertThat(
            TinyMoe.run(alone, Map.of("x", whole.get("x")), List.of("routed"))
                .get("routed")
                .toFloats())
        .containsExactly(whole.get("routed").toFloats());
  }

  @Test
  void takesSizesFromOutsideForInputs() {
    TinyMoe tiny = Spelling.TORCHSCRIPT.of(3, 2, 4);
    Model model =
        model(
            tiny.with("[T, 4] x)", "[T, 4] text)")
                .with("  logits =", "  x = Tanh (text)\n  logits =")
                .with("shape = Shape (x)", "shape = Shape (text)")
                .text());
    BlockCut cut = BlockCut.of(model, List.of("x"), "routed");
    Map<String, Tensor> feeds = Map.of("text", tiny.tokens(20, 1));
    Map<String, Tensor> whole = new HashMap<>(TinyMoe.run(model, feeds, cut.inputs()));
    Map<String, ElementType> types = new HashMap<>();
    whole.forEach((name, tensor) -> types.put(name, tensor.type()));
    Model alone = cut.model(types, Value.untyped("routed", ElementType.FLOAT));

    assertThat(cut.inputs()).containsExactlyInAnyOrder("x", "zeros", "routed0");
    assertThat(alone.graph().inputs()).extracting(Value::name).isEqualTo(cut.inputs());
    assertThat(TinyMoe.run(alone, whole, List.of("routed")).get("routed").toFloats())
        .containsExactly(TinyMoe.run(model, feeds, List.of("routed")).get("routed").toFloats());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUSED")
  void takesChoicesAsTheyAreGiven(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    BlockCut cut = BlockCut.of(tiny.model(), List.of("x", "experts", "gates"), "routed");
    Model alone =
        cut.model(
            Map.of(
                "x", ElementType.FLOAT, "experts", ElementType.INT64, "gates", ElementType.FLOAT),
            Value.untyped("routed", ElementType.FLOAT));
    Map<String, Tensor> given =
        Map.of(
            "x", tiny.tokens(1, 1),
            "experts", Tensor.of(List.of(1L, 2L), 2L, 0),
            "gates", Tensor.of(List.of(1L, 2L), 0f, 0));

    assertThat(cut.inputs()).containsExactly("x", "experts", "gates");
    assertThat(alone.graph().producer("scores")).isEmpty();
    for (float value : TinyMoe.run(alone, given, List.of("routed")).get("routed").toFloats()) {
      assertThat(value).isZero();
    }
  }

  @Test
  void computesWhatElseTheNodeOfAGivenValueMakes() {
    Model model =
        model(
            """
            g (float[T, 4] x) => (float[T, 2] y)
            <int64[1] k = {2}>
            {
              best, ids = TopK (x, k)
              some = Cast <to = 1> (ids)
              y = Add (best, some)
            }
            """);
    BlockCut cut = BlockCut.of(model, List.of("x", "ids"), "y");
    Model alone =
        cut.model(
            Map.of("x", ElementType.FLOAT, "ids", ElementType.INT64),
            Value.untyped("y", ElementType.FLOAT));
    Map<String, Tensor> given =
        Map.of(
            "x", Tensor.of(List.of(1L, 4L), 4f, 3, 2, 1),
            "ids", Tensor.of(List.of(1L, 2L), 10L, 20));

    assertThat(TinyMoe.run(alone, given, List.of("y")).get("y").toFloats()).containsExactly(14, 23);
  }
}
