package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Novices for tokens that reach a replaced expert, and none for those it has no capacity for. */
final class SwitchTest {
  private static final MoeBlock BLOCK = SwitchMoe.block();
  private static final float[] NOVICE = {1, -2, 3, -4};

  @TempDir Path folder;

  private static Model rewritten(Replacement replacement) {
    return Rewriter.rewrite(
        Canonical.of(SwitchMoe.model()), List.of(BLOCK), Map.of(BLOCK.name(), replacement));
  }

  private static Replacement replacement(String experts) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    experts.chars().forEach(id -> novices.put(id - '0', NOVICE));
    return Replacement.byNovices(novices);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "2", "01", "12", "012"})
  void areProved(String experts) {
    Replacement replacement = replacement(experts);
    Model rewritten = rewritten(replacement);
    Path file = folder.resolve("rewritten.onnx");
    OnnxWriter.write(rewritten, file, Placement.INLINE);
    Verdict verdict =
        new Proof(
                Canonical.of(SwitchMoe.model()).model(),
                folder,
                List.of(BLOCK),
                Map.of(BLOCK.name(), replacement),
                RunOptions.cpu())
            .of(file, List.of(SwitchMoe.feeds(9), SwitchMoe.feeds(1)));

    assertThat(verdict.holds()).as(verdict.text()).isTrue();
  }

  @Test
  void leaveTokensWithoutCapacityAsTheyWere() {
    Map<String, Tensor> feeds = SwitchMoe.feeds(9);
    Map<String, Tensor> before =
        TinyMoe.run(SwitchMoe.model(), feeds, List.of("y", "gates", "kept", "experts"));
    float[] y = before.get("y").toFloats();
    float[] x = feeds.get("x").toFloats();
    long[] kept = before.get("kept").toLongs();
    long[] chosen = before.get("experts").toLongs();
    int dropped = 0;
    for (int token = 0; token < chosen.length; token++) {
      boolean reaches = kept[token * SwitchMoe.EXPERTS + (int) chosen[token]] == 1;
      dropped += reaches || chosen[token] == 1 ? 0 : 1;
      for (int i = 0; reaches && chosen[token] != 1 && i < SwitchMoe.HIDDEN; i++) {
        int at = token * SwitchMoe.HIDDEN + i;
        y[at] = x[at] + before.get("gates").toFloats()[token] * NOVICE[i];
      }
    }
    float[] after =
        TinyMoe.run(rewritten(replacement("02")), feeds, List.of("y")).get("y").toFloats();

    assertThat(after).containsExactly(y, within(1e-5f));
    assertThat(dropped).isPositive();
  }
}
