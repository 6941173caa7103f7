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
import io.moneonnx.observe.Calibrator;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Statistic;
import io.moneonnx.rewrite.Provenance;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Models of which experts were replaced before. */
final class PrunedAgainTest {
  private static final int HIDDEN = 4;

  @TempDir private Path folder;

  private static Map<String, Replacement> novices(float value, int... experts) {
    Map<Integer, float[]> novices = new HashMap<>();
    for (int expert : experts) {
      float[] novice = new float[HIDDEN];
      Arrays.fill(novice, value * (expert + 1));
      novices.put(expert, novice);
    }
    return Map.of("experts", Replacement.byNovices(novices));
  }

  private static MoeFinder.Findings find(Model model) {
    Map<String, Set<Integer>> gone = new HashMap<>();
    Provenance.gone(model)
        .ifPresent(blocks -> blocks.forEach((name, block) -> gone.put(name, block.all())));
    return new MoeFinder(Forms.all(Target.CPU)).find(Canonical.of(model).graph(), gone);
  }

  private static Model rewritten(Model model, Map<String, Replacement> changes) {
    return Rewriter.rewrite(Canonical.of(model), find(model).blocks(), changes);
  }

  private static List<Map<String, Tensor>> feeds(TinyMoe tiny) {
    return List.of(Map.of("x", tiny.tokens(30, 1)), Map.of("x", tiny.tokens(1, 2)));
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "GATHERED",
        "GATHERED_FOR_TOKENS",
        "FUSED",
        "ROUNDS",
        "SORTED",
        "GROUPED",
        "STACKED",
        "PICKED"
      },
      mode = Mode.EXCLUDE)
  void loopsAreFoundMeasuredAndPrunedAgain(Spelling spelling) {
    TinyMoe tiny = spelling.of(6, 2, HIDDEN);
    for (float value : new float[] {0, 0.5f}) {
      Model once = rewritten(tiny.model(), novices(value, 1, 4));
      List<MoeBlock> blocks = find(once).blocks();

      assertThat(blocks).extracting(MoeBlock::owners).containsExactly(List.of(0, 2, 3, 5));
      assertThat(blocks.get(0).weightless()).containsExactly(1, 4);
      assertThat(blocks.get(0).expertBytes()).isEqualTo(tiny.block().expertBytes());
      isMeasured(tiny, once, blocks);
      holds(tiny, once, blocks, novices(0.25f, 0));
      holds(tiny, once, blocks, novices(0.25f, 5, 2));
      holds(tiny, once, blocks, novices(0.25f, 0, 2, 3, 5));
    }
  }

  private static void isMeasured(TinyMoe tiny, Model model, List<MoeBlock> blocks) {
    Calibrator.Outcome outcome =
        new Calibrator(Canonical.of(model).model(), Path.of(""), blocks, RunOptions.cpu())
            .run(feeds(tiny));

    assertThat(outcome.disproved()).isEmpty();
    BlockStatistics measured = outcome.statistics().get(0);
    assertThat(measured.header().weightless()).containsExactly(1, 4);
    assertThat(measured.get(Statistic.N).count(1)).isZero();
    assertThat(measured.neverChosen()).doesNotContain(1, 4);
  }

  private void holds(
      TinyMoe tiny, Model once, List<MoeBlock> blocks, Map<String, Replacement> changes) {
    Path file = folder.resolve("twice.onnx");
    OnnxWriter.write(rewritten(once, changes), file, Placement.INLINE);
    Verdict verdict =
        new Proof(Canonical.of(once).model(), folder, blocks, changes, RunOptions.cpu())
            .of(file, feeds(tiny));

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "GATHERED",
        "GATHERED_FOR_TOKENS",
        "ROUNDS",
        "SORTED",
        "GROUPED",
        "STACKED",
        "PICKED"
      })
  void othersAreRefusedByTheirIds(Spelling spelling) {
    Model once = rewritten(spelling.of(6, 2, HIDDEN).model(), novices(0.5f, 1, 4));

    assertThat(find(once).blocks()).isEmpty();
    assertThat(find(once).refusals().get(0).reason())
        .startsWith("experts [1, 4] were pruned before");
  }
}
