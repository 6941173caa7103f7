package io.moneonnx.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.QuantisedMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Target;
import io.moneonnx.observe.Calibrator;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Proof;
import io.moneonnx.verify.Verdict;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Experts whose weights are stored as integers: they move as bytes. */
final class QuantisedExpertsTest {
  private static final int HIDDEN = 16;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"DYNAMO", "BUFFER", "COLUMNS", "GATHERED"})
  void areTakenBehindDequantizeLinear(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, HIDDEN);
    MoeBlock block = isRewrittenAsTheOracleSays(QuantisedMoe.dequantised(tiny.model()), tiny);

    int each = spelling == Spelling.GATHERED ? 1 : HIDDEN + 1;
    int other = spelling == Spelling.GATHERED ? 1 : HIDDEN;
    assertThat(block.expertBytes()).isEqualTo(2 * HIDDEN * (HIDDEN + 1) + 5 * (each + other));
  }

  @ParameterizedTest
  @CsvSource({"DYNAMO, 4", "BUFFER, 4", "COLUMNS, 4", "DYNAMO, 8"})
  void areTakenInsideMatMulNBits(Spelling spelling, int bits) {
    TinyMoe tiny = spelling.of(4, 2, HIDDEN);
    MoeBlock block = isRewrittenAsTheOracleSays(QuantisedMoe.packed(tiny.model(), bits), tiny);

    assertThat(block.weights()).hasSize(4 * 2 * 3);
  }

  @ParameterizedTest
  @EnumSource(names = {"GATHERED", "GATHERED_FOR_TOKENS"})
  void areTakenWhereTheyAreDequantisedAsTheyAreGathered(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, HIDDEN);
    MoeBlock block = isRewrittenAsTheOracleSays(QuantisedMoe.gathered(tiny.model()), tiny);

    int scales = (HIDDEN + 1) * 5 + HIDDEN * 2 * 5;
    assertThat(block.expertBytes()).isEqualTo(2 * HIDDEN * (HIDDEN + 1) + scales);
    assertThat(block.ffn()).isEmpty();
  }

  @Test
  void areRefusedWhereOneScaleIsOfSeveralExperts() {
    TinyMoe tiny = Spelling.GATHERED.of(4, 2, HIDDEN);
    Model model = QuantisedMoe.gathered(tiny.model());
    Map<String, Initializer> constants = new LinkedHashMap<>(model.graph().initializers());
    Tensor scale = constants.get("up_scale").tensor();
    constants.put("up_scale", Initializer.of("up_scale", scale.rows(List.of(0))));
    Graph graph = model.graph().with(model.graph().nodes(), constants);

    assertThat(new MoeFinder(Forms.all(Target.CPU)).find(graph).refusals())
        .extracting(Refusal::reason)
        .containsExactly(
            "gathered-weights: 'up_scale' [1, 17, 1] is gathered by the routing indices; expected 4"
                + " experts in front");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO", "BUFFER", "COLUMNS", "PICKED"})
  void areTakenAsProductsOfIntegers(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, HIDDEN);
    MoeBlock block = isRewrittenAsTheOracleSays(QuantisedMoe.dynamic(tiny.model()), tiny);

    assertThat(block.expertBytes()).isEqualTo(2 * HIDDEN * (HIDDEN + 1) + 2 * 4);
    assertThat(block.routing().input()).isEqualTo("x");
  }

  @ParameterizedTest
  @EnumSource(names = {"DYNAMO", "BUFFER", "COLUMNS"})
  void areTakenBetweenQuantisedActivations(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, HIDDEN);

    assertThat(
            isRewrittenAsTheOracleSays(QuantisedMoe.around(tiny.model()), tiny).routing().input())
        .isEqualTo("x");
  }

  private MoeBlock isRewrittenAsTheOracleSays(Model model, TinyMoe tiny) {
    MoeFinder.Findings findings =
        new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph());
    assertThat(findings.refusals()).isEmpty();
    MoeBlock block = findings.blocks().get(0);
    assertThat(block.precision().quantised()).isTrue();

    List<Map<String, Tensor>> feeds = List.of(Map.of("x", tiny.tokens(30, 1)));
    assertThat(
            new Calibrator(Canonical.of(model).model(), folder, List.of(block), RunOptions.cpu())
                .run(feeds)
                .disproved())
        .isEmpty();

    TreeMap<Integer, float[]> novices = new TreeMap<>();
    List.of(0, 2).forEach(expert -> novices.put(expert, novice(expert)));
    Map<String, Replacement> replaced = Map.of(block.name(), Replacement.byNovices(novices));
    Model rewritten = Rewriter.rewrite(Canonical.of(model), List.of(block), replaced);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(rewritten, file, Placement.INLINE);
    Verdict verdict =
        new Proof(Canonical.of(model).model(), folder, List.of(block), replaced, RunOptions.cpu())
            .of(file, feeds);
    assertThat(verdict.holds()).as(verdict.text()).isTrue();
    assertThat(verdict.worstBlock()).isLessThan(1e-4);
    assertThat(integers(rewritten)).isEqualTo(integers(model) / 2);
    return block;
  }

  private static float[] novice(int expert) {
    float[] novice = new float[HIDDEN];
    for (int i = 0; i < HIDDEN; i++) {
      novice[i] = expert - 0.1f * i;
    }
    return novice;
  }

  /** Bytes of the model's integer weights. */
  private static long integers(Model model) {
    return model.graph().initializers().values().stream()
        .filter(constant -> !constant.name().equals("router_q"))
        .map(constant -> constant.tensor())
        .filter(tensor -> tensor.rank() > 0)
        .filter(tensor -> tensor.type() == ElementType.INT8 || tensor.type() == ElementType.UINT8)
        .mapToLong(Tensor::byteSize)
        .sum();
  }
}
