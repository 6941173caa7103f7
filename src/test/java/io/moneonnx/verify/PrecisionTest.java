package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.OutputRules;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.ValueTypes;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Statistic;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every form, in every floating type and operator set that models come in. */
final class PrecisionTest {
  private static final int FIRST_OPSET = 13;
  private static final int LAST_OPSET = 24;

  @TempDir Path folder;

  /** What the CPU runs in half precision: it has no kernel to add scattered rows. */
  static Stream<Spelling> run() {
    return Stream.of(Spelling.values())
        .filter(spelling -> !spelling.of(2, 1, 4).text().contains("reduction = \"add\""));
  }

  private static Replacement replacement() {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    novices.put(1, new float[] {0.25f, 0.5f, -1, 2});
    novices.put(3, new float[] {-0.1f, 0.2f, 0.3f, 0.4f});
    return Replacement.byNovices(novices);
  }

  private static MoeBlock block(Model model) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks().get(0);
  }

  private static final Map<String, Change> REPLACED = Map.of("experts", replacement());

  private static Model rewritten(Model model) {
    return Rewriter.rewrite(Canonical.of(model), List.of(block(model)), REPLACED);
  }

  private static String routed(Model model, Model rewritten) {
    return new RoutedOutputs(Canonical.of(model).graph(), rewritten.graph())
        .of(block(model).output())
        .orElseThrow();
  }

  private Verdict prove(Model model, Tensor x) {
    return prove(model, x, REPLACED);
  }

  private Verdict prove(Model model, Tensor x, Map<String, Change> changes) {
    Model rewritten = Rewriter.rewrite(Canonical.of(model), List.of(block(model)), changes);
    OutputRules.hold(model, rewritten);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(rewritten, file, Placement.INLINE);
    return new Proof(
            Canonical.of(model).model(), folder, List.of(block(model)), changes, RunOptions.cpu())
        .of(file, List.of(Map.of("x", x)));
  }

  private static BlockStatistics observe(Model model, Tensor x) {
    Calibrator.Outcome outcome =
        new Calibrator(
                Canonical.of(model).model(), Path.of(""), List.of(block(model)), RunOptions.cpu())
            .run(List.of(Map.of("x", x)));
    assertThat(outcome.disproved()).isEmpty();
    return outcome.statistics().get(0);
  }

  private static Tensor in(ElementType type, Tensor tensor) {
    return Tensor.of(type, tensor.dims(), tensor.toFloats());
  }

  @ParameterizedTest
  @MethodSource("run")
  void halfPrecisionIsObservedInSinglePrecision(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Tensor x = in(ElementType.FLOAT16, tiny.tokens(30, 1));
    BlockStatistics half = observe(tiny.in(ElementType.FLOAT16), x);
    BlockStatistics single = observe(tiny.model(), in(ElementType.FLOAT, x));

    assertThat(half.get(Statistic.T).count(0)).isEqualTo(30);
    for (int expert = 0; expert < 4; expert++) {
      double off =
          Math.abs(half.get(Statistic.B2).get(expert) - single.get(Statistic.B2).get(expert));
      assertThat(off).isLessThan(1e-2 * single.get(Statistic.B2).get(expert));
    }
  }

  @ParameterizedTest
  @MethodSource("run")
  void halfPrecisionIsRewrittenAsTheOracleSays(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Tensor x = in(ElementType.FLOAT16, tiny.tokens(30, 1));
    Verdict verdict = prove(tiny.in(ElementType.FLOAT16), x);

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(verdict.text()).contains("(bound 1e-02)");
  }

  @ParameterizedTest
  @MethodSource("run")
  void halfPrecisionRoutersAreCutAsTheOracleSays(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Tensor x = in(ElementType.FLOAT16, tiny.tokens(30, 1));
    Verdict verdict =
        prove(
            tiny.in(ElementType.FLOAT16),
            x,
            Map.of("experts", new Removal(new TreeSet<>(Set.of(0, 3)))));

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  /** The runtime's CPU kernels take no bfloat16, so that only types can be looked at. */
  @ParameterizedTest
  @EnumSource
  void novicesAreInTheTypeOfWhatTheyAreAddedTo(Spelling spelling) {
    for (ElementType type : List.of(ElementType.BFLOAT16, ElementType.FLOAT16)) {
      Model model = spelling.of(4, 2, 4).in(type);
      Model rewritten = rewritten(model);
      ValueTypes types = new ValueTypes(rewritten.graph());

      OutputRules.hold(model, rewritten);
      assertThat(types.of("mone.0/novices")).contains(type);
      assertThat(types.of(routed(model, rewritten))).contains(type);
    }
  }

  static Stream<Arguments> opsets() {
    return Stream.of(Spelling.values())
        .flatMap(
            spelling ->
                IntStream.rangeClosed(oldest(spelling) + 1, LAST_OPSET - 1)
                    .mapToObj(opset -> Arguments.of(spelling, opset)));
  }

  private static int oldest(Spelling spelling) {
    return Math.max(FIRST_OPSET, spelling.oldestOpset());
  }

  @ParameterizedTest
  @EnumSource
  void theOldestAndTheNewestOpsetAreObservedAndRewritten(Spelling spelling) {
    isObservedAndRewritten(spelling, oldest(spelling));
    isObservedAndRewritten(spelling, LAST_OPSET);
  }

  @Tag("exhaustive")
  @ParameterizedTest
  @MethodSource("opsets")
  void everyOpsetIsObservedAndRewritten(Spelling spelling, int opset) {
    isObservedAndRewritten(spelling, opset);
  }

  private void isObservedAndRewritten(Spelling spelling, int opset) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Model model = tiny.at(opset);
    Tensor x = tiny.tokens(9, 1);

    assertThat(observe(model, x).get(Statistic.T).count(0)).isEqualTo(9);
    assertThat(prove(model, x).holds()).isTrue();
  }
}
