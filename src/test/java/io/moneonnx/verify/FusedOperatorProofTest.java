package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.form.Forms;
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
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whatever a fused operator makes of its scores, the rewritten one makes the same of those of the
 * kept experts. Its own routing is in neither side of the proof, so that of other execution
 * providers is proved on the CPU too.
 */
final class FusedOperatorProofTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "CPU, normalize_routing_weights = 0, SoftmaxTopK",
    "CPU, normalize_routing_weights = 1, SoftmaxTopKRenormalised",
    "CUDA, use_sparse_mixer = 1, Sparsemixer",
  })
  void holdsForEveryRouting(Target target, String attribute, String kind) {
    TinyMoe tiny = Spelling.FUSED.of(8, 2, 4).with("normalize_routing_weights = 1", attribute);
    List<MoeBlock> blocks =
        new MoeFinder(Forms.all(target)).find(Canonical.of(tiny.model()).graph()).blocks();
    assertThat(blocks).extracting(block -> block.routing().kind()).containsExactly(kind);

    for (int pruned = 1; pruned <= 8; pruned++) {
      Verdict verdict = prove(tiny, blocks, pruned);
      assertThat(verdict.holds()).as("%d pruned: %s", pruned, verdict.text()).isTrue();
    }
  }

  private Verdict prove(TinyMoe tiny, List<MoeBlock> blocks, int pruned) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    IntStream.range(0, pruned)
        .forEach(i -> novices.put(5 * i % 8, new float[] {0.3f * i, -1, 0.1f, i}));
    Map<String, Replacement> replacements =
        Map.of(blocks.get(0).name(), Replacement.byNovices(novices));
    Model rewritten = Rewriter.rewrite(Canonical.of(tiny.model()), blocks, replacements);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(rewritten, file, Placement.INLINE);
    List<Map<String, Tensor>> feeds =
        List.of(Map.of("x", tiny.tokens(30, 1)), Map.of("x", tiny.tokens(1, 2)));
    return new Proof(
            Canonical.of(tiny.model()).model(), folder, blocks, replacements, RunOptions.cpu())
        .of(file, feeds);
  }
}
