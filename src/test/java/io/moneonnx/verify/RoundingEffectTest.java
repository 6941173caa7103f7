package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

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
import io.moneonnx.moe.Target;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that quantises what its block puts out makes steps of last bits. */
final class RoundingEffectTest {
  private static final TinyMoe TINY =
      Spelling.FUSED
          .of(6, 2, 4)
          .with("int64[1] k", "float step = {0.25}, int64[1] k")
          .with(
              "y = Add (x, routed)",
              "sum = Add (x, routed)\n  part = Div (sum, step)\n  whole = Round (part)\n"
                  + "  y = Mul (whole, step)");

  private static final Map<String, Replacement> CHANGES =
      Map.of(
          "experts", Replacement.byNovices(new TreeMap<>(Map.of(1, new float[] {1, -1, 2, 0.5f}))));

  @TempDir private Path folder;

  private static List<MoeBlock> blocks(Model model) {
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph()).blocks();
  }

  private static Tensor tokens(ElementType type) {
    Tensor x = TINY.tokens(200, 3);
    return Tensor.of(type, x.dims(), x.toFloats());
  }

  @Test
  void isNoReasonToFailAProof() {
    Model model = TINY.in(ElementType.FLOAT16);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(
        Rewriter.rewrite(Canonical.of(model), blocks(model), CHANGES), file, Placement.INLINE);
    Verdict verdict =
        new Proof(Canonical.of(model).model(), folder, blocks(model), CHANGES, RunOptions.cpu())
            .of(file, List.of(Map.of("x", tokens(ElementType.FLOAT16))));

    assertThat(verdict.worstBlock()).isBetween(1e-5, 1e-2);
    assertThat(verdict.endToEnd()).isGreaterThan(1e-2);
    assertThat(verdict.reasons()).isEmpty();
    assertThat(verdict.bounds().endToEnd()).isBetween(verdict.endToEnd(), 0.2);
  }

  private Verdict.Bounds widened(double blockError) {
    Model model = TINY.model();
    Model canonical = Canonical.of(model).model();
    ProofRuns bench = new ProofRuns(canonical, folder, RunOptions.cpu());
    Oracle.Substituted oracle = Oracle.of(canonical, blocks(model), CHANGES);
    return new RoundingEffect(bench, oracle, blocks(model))
        .widened(
            Verdict.Bounds.of(blocks(model)),
            Map.of("experts", blockError),
            List.of("y"),
            Set.of("y", "experts"),
            List.of(Map.of("x", tokens(ElementType.FLOAT))));
  }

  @Test
  void isNothingWhereBlocksAreExact() {
    assertThat(widened(0)).isEqualTo(Verdict.Bounds.of(blocks(TINY.model())));
  }

  @Test
  void growsWithWhatBlocksAreOffBy() {
    assertThat(widened(1e-9).endToEnd()).isLessThan(widened(0.5).endToEnd());
    assertThat(widened(0.5).endToEnd()).isEqualTo(0.1);
  }
}
