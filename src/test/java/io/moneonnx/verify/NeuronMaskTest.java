package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.NarrowMoe;
import io.moneonnx.NarrowMoe.Body;
import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Narrow experts that are right hold, and those that are not do not. */
final class NeuronMaskTest {
  @TempDir Path folder;

  private static List<MoeBlock> blocks(Model model) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
  }

  /** What was asked for against what was done. */
  private Verdict prove(
      Model model,
      Map<String, Replacement> asked,
      Map<String, Replacement> done,
      ElementType type) {
    Model narrowed = Rewriter.rewrite(Canonical.of(model), blocks(model), done);
    return prove(model, asked, narrowed, type);
  }

  private Verdict prove(
      Model model, Map<String, Replacement> asked, Model narrowed, ElementType type) {
    List<MoeBlock> blocks = blocks(model);
    Path file = folder.resolve("narrow.onnx");
    OnnxWriter.write(narrowed, file, Placement.INLINE);
    TinyMoe any = Spelling.DYNAMO.of(4, 2, 4);
    List<Map<String, Tensor>> feeds =
        List.of(Map.of("x", in(type, any.tokens(30, 1))), Map.of("x", in(type, any.tokens(1, 2))));
    return new Proof(Canonical.of(model).model(), folder, blocks, asked, RunOptions.cpu())
        .of(file, feeds);
  }

  private static Tensor in(ElementType type, Tensor tokens) {
    return Tensor.of(type, tokens.dims(), tokens.toFloats());
  }

  private Verdict prove(TinyMoe tiny, Replacement asked, Replacement done) {
    return prove(
        tiny.model(), Map.of("experts", asked), Map.of("experts", done), ElementType.FLOAT);
  }

  @ParameterizedTest
  @EnumSource
  void holdsForEveryBodyOfALoop(Body body) {
    for (Spelling spelling : List.of(Spelling.TORCHSCRIPT, Spelling.DYNAMO, Spelling.SORTED)) {
      holds(body, spelling);
    }
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"GATHERED", "GATHERED_FOR_TOKENS", "FUSED", "STACKED", "GROUPED"})
  void holdsForEverySpellingThatIsUnrolled(Spelling spelling) {
    holds(Body.PLAIN, spelling);
    if (spelling != Spelling.ROUNDS) {
      holds(Body.CONCATENATED, spelling);
    }
  }

  private void holds(Body body, Spelling spelling) {
    TinyMoe tiny = body.of(spelling);
    Replacement narrowing = NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
    Verdict verdict = prove(tiny, narrowing, narrowing);

    assertThat(verdict.holds()).as("%s %s: %s", body, spelling, verdict.text()).isTrue();
    assertThat(verdict.blockErrors()).containsOnlyKeys("experts");
    assertThat(verdict.positions()).isEqualTo(31);
    assertThat(verdict.leftOut()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"SORTED, FLOAT16", "COLUMNS, FLOAT16", "BUFFER, FLOAT16"})
  void holdsForMatricesThatAreRounded(Spelling spelling, ElementType type) {
    Model model = spelling.of(4, 2, 4).in(type);
    Map<String, Replacement> narrow =
        Map.of("experts", NarrowMoe.narrowing(blocks(model).get(0), NarrowMoe.kept()));
    Verdict verdict = prove(model, narrow, narrow, type);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  /** Biases of products, a buffer, and choices that are taken back. */
  @Test
  void holdsForSwitch() {
    Canonical model = Canonical.of(SwitchMoe.model());
    List<MoeBlock> blocks = List.of(SwitchMoe.block());
    Map<Integer, int[]> kept = Map.of(0, new int[] {1, 2}, 2, new int[] {0, 1, 4});
    Map<String, Replacement> narrow = Map.of("experts", NarrowMoe.narrowing(blocks.get(0), kept));
    Model narrowed = Rewriter.rewrite(model, blocks, narrow);
    Path file = folder.resolve("narrow.onnx");
    OnnxWriter.write(narrowed, file, Placement.INLINE);
    Verdict verdict =
        new Proof(model.model(), folder, blocks, narrow, RunOptions.cpu())
            .of(file, List.of(SwitchMoe.feeds(5)));

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(narrowed.graph().initializers()).doesNotContainKeys("upBias0", "upBias2");
    assertThat(narrowed.graph().initializers()).containsKeys("upBias1", "downBias0");
  }

  /** Each expert takes its own channels of the bias, or all of them. */
  @Test
  void holdsForConstantsThatExpertsShare() {
    TinyMoe plain = Spelling.DYNAMO.of(4, 2, 4).with("int64[1] k =", "float[5] bias, int64[1] k =");
    String text =
        plain
            .text()
            .replaceAll("act(\\d) = Tanh \\(in", "sum$1 = Add (in$1, bias)\n  act$1 = Tanh (sum")
            .replace("float[5, 4] up0,", "")
            .replace("(rows0, up0)", "(rows0, up1)");
    TinyMoe tiny = new TinyMoe(Spelling.DYNAMO, 4, 2, 4, text);
    Replacement narrowing = NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
    Verdict verdict = prove(tiny, narrowing, narrowing);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  /** Rounded to half precision, as the file stores it, and computed in single precision. */
  @Test
  void holdsForWeightsThatAreStoredInHalfPrecision() {
    TinyMoe cast =
        Spelling.COLUMNS
            .of(4, 2, 4)
            .with("float[5, 4] up0, float[4, 5] down0", "float[5, 4] upOf0, float[4, 5] downOf0")
            .with("  in0 =", "  up0 = Cast <to = 1> (upOf0)\n  in0 =")
            .with("  raw0 =", "  down0 = Cast <to = 1> (downOf0)\n  raw0 =");
    Model model = cast.model();
    for (String weight : List.of("upOf0", "downOf0")) {
      Tensor half = in(ElementType.FLOAT16, model.graph().constant(weight).orElseThrow());
      model = TinyMoe.withInitializer(model, weight, half);
    }
    Map<String, Replacement> narrow =
        Map.of("experts", NarrowMoe.narrowing(cast.block(), NarrowMoe.kept()));
    Verdict verdict = prove(model, narrow, narrow, ElementType.FLOAT);
    Model narrowed = Rewriter.rewrite(Canonical.of(model), blocks(model), narrow);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    for (String stored : List.of("mone.0/kept", "mone.0/down")) {
      assertThat(narrowed.graph().constant(stored).orElseThrow().type())
          .isEqualTo(ElementType.FLOAT16);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DYNAMO", "PICKED", "BUFFER"})
  void holdsForBlocksThatShareTheirWeights(Spelling spelling) {
    Model twice = spelling.of(4, 2, 4).twice();
    List<MoeBlock> blocks = blocks(twice);
    Map<String, Replacement> narrow = new HashMap<>();
    narrow.put("experts", NarrowMoe.narrowing(blocks.get(0), NarrowMoe.kept()));
    Verdict one = prove(twice, narrow, narrow, ElementType.FLOAT);
    narrow.put("second/experts", NarrowMoe.narrowing(blocks.get(1), Map.of(2, new int[] {0, 1})));
    Verdict both = prove(twice, narrow, narrow, ElementType.FLOAT);

    assertThat(one.holds()).as(one.text()).isTrue();
    assertThat(both.holds()).as(both.text()).isTrue();
  }

  /** One expert goes, three are narrower or whole; a novice in its place that is wrong is found. */
  @ParameterizedTest
  @EnumSource(names = {"DYNAMO", "COLUMNS", "PICKED", "BUFFER"})
  void holdsForNovicesBesideNarrowExperts(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    NavigableMap<Integer, NarrowExpert> narrow =
        NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept()).narrow();
    Replacement asked = replacement(narrow, 1, 2, 3, 4);
    Verdict right = prove(tiny, asked, asked);
    Verdict wrong = prove(tiny, asked, replacement(narrow, 1, 2, 3, 5));
    Verdict whole = prove(tiny, asked, Replacement.byNovices(asked.novices()));

    assertThat(right.holds()).as(right.text()).isTrue();
    assertThat(wrong.holds()).isFalse();
    assertThat(whole.holds()).isFalse();
  }

  private static Replacement replacement(
      NavigableMap<Integer, NarrowExpert> narrow, float... novice) {
    return new Replacement(new TreeMap<>(Map.of(2, novice)), narrow);
  }

  @ParameterizedTest
  @EnumSource
  void findsAnotherNeuron(Body body) {
    finds(body, new int[] {0, 2, 4}, (down, column) -> down[column]);
  }

  @ParameterizedTest
  @EnumSource
  void findsColumnsThatArePermuted(Body body) {
    finds(body, new int[] {0, 2, 3}, (down, column) -> down[(column + 1) % 3]);
  }

  @Test
  void findsThatTheDownProjectionWasNotReFitted() {
    TinyMoe tiny = Body.GATED.of(Spelling.DYNAMO);
    Replacement asked = NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
    Tensor old = tiny.graph().constant("down0").orElseThrow().along(1, List.of(0, 2, 3));
    TreeMap<Integer, NarrowExpert> wrong = new TreeMap<>(asked.narrow());
    wrong.put(0, new NarrowExpert(new int[] {0, 2, 3}, old.toFloats()));

    finds(prove(tiny, asked, Replacement.byNarrow(wrong)));
  }

  /**
   * The gates are those of neurons 0, 2 and 3, but the ups those of 0, 1 and 3, or of 0, 2 and 4.
   */
  @ParameterizedTest
  @CsvSource({"CONCATENATED, 0 2 3 5 6 8", "INTERLEAVED, 0 1 4 5 6 9"})
  void findsGatesAndUpsThatAreCutApart(Body body, String channels) {
    TinyMoe tiny = body.of(Spelling.DYNAMO);
    Replacement asked = NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
    List<Integer> apart = Stream.of(channels.split(" ")).map(Integer::valueOf).toList();
    Tensor wrong = tiny.graph().constant("up0").orElseThrow().rows(apart);
    List<MoeBlock> blocks = blocks(tiny.model());
    Map<String, Replacement> changes = Map.of("experts", asked);
    Model narrowed = Rewriter.rewrite(Canonical.of(tiny.model()), blocks, changes);
    assertThat(narrowed.graph().constant("mone.0/kept").orElseThrow().dims())
        .isEqualTo(wrong.dims());

    finds(
        prove(
            tiny.model(),
            changes,
            TinyMoe.withInitializer(narrowed, "mone.0/kept", wrong),
            ElementType.FLOAT));
  }

  private interface Column {
    float[] of(float[][] down, int column);
  }

  private void finds(Body body, int[] neurons, Column column) {
    TinyMoe tiny = body.of(Spelling.DYNAMO);
    Replacement asked = NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
    NarrowExpert right = asked.narrow().get(0);
    float[][] columns = new float[3][4];
    for (int i = 0; i < 12; i++) {
      columns[i / 4][i % 4] = right.down(i % 4, i / 4);
    }
    float[] down = new float[12];
    for (int i = 0; i < 12; i++) {
      down[i] = column.of(columns, i % 3)[i / 3];
    }
    TreeMap<Integer, NarrowExpert> wrong = new TreeMap<>(asked.narrow());
    wrong.put(0, new NarrowExpert(neurons, down));
    Verdict verdict = prove(tiny, asked, Replacement.byNarrow(wrong));

    finds(verdict);
  }

  private static void finds(Verdict verdict) {
    assertThat(verdict.holds()).as(verdict.text()).isFalse();
    assertThat(verdict.worstBlock()).isGreaterThan(1e-3);
    assertThat(verdict.endToEnd()).isGreaterThan(1e-3);
  }

  @Test
  void findsThatNothingWasDone() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Replacement asked = NarrowMoe.narrowing(tiny.block(), NarrowMoe.kept());
    Verdict verdict = prove(tiny, asked, Replacement.byNarrow(new TreeMap<>()));

    finds(verdict);
    assertThat(verdict.text())
        .contains("block 'experts' has all neurons of all its experts, expected fewer");
  }
}
