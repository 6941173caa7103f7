package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.io.OnnxWriter;
import io.moneonnx.io.Placement;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.rewrite.Change;
import io.moneonnx.rewrite.Removal;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.rewrite.Rewriter;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks and outputs of small graphs that are no language models. */
final class SideBySideTest {
  private static final int TOKENS = 40;
  private static final Tensor X = random(TOKENS);

  @TempDir private Path folder;

  private static Tensor random(int tokens) {
    Random random = new Random(1);
    float[] values = new float[4 * tokens];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.of(List.of((long) tokens, 4L), values);
  }

  private SideBySide.Side side(String name, Model model) {
    Path file = folder.resolve(name);
    OnnxWriter.write(model, file, Placement.INLINE);
    return new SideBySide.Side(file, Canonical.of(model).model());
  }

  private SideBySide open(Model before, List<MoeBlock> blocks, Model after) {
    return SideBySide.open(
        side("before.onnx", before),
        side("after.onnx", after),
        Optional.empty(),
        blocks,
        RunOptions.cpu());
  }

  private Drift drift(Model before, List<MoeBlock> blocks, Model after) {
    Drift.Meter meter = new Drift.Meter();
    try (SideBySide models = open(before, blocks, after)) {
      meter.add(models.run(Map.of("x", X)));
    }
    return meter.drift();
  }

  private static Model rewritten(TinyMoe tiny, Change change) {
    return Rewriter.rewrite(
        Canonical.of(tiny.model()), List.of(tiny.block()), Map.of("experts", change));
  }

  private static Replacement zeros(int... experts) {
    TreeMap<Integer, float[]> novices = new TreeMap<>();
    for (int expert : experts) {
      novices.put(expert, new float[4]);
    }
    return Replacement.byNovices(novices);
  }

  /** How many of the original's choices are one of these experts. */
  private static long choices(TinyMoe tiny, Set<Long> experts) {
    ProofRuns bench = new ProofRuns(tiny.model(), Path.of("."), RunOptions.cpu());
    List<String> choice = List.of(tiny.block().routing().choice().value());
    Map<String, Tensor> values = bench.values(choice, List.of(Map.of("x", X))).get(0);
    return LongStream.of(tiny.block().routing().ids(values)).filter(experts::contains).count();
  }

  @ParameterizedTest
  @EnumSource
  void countsTheCallsThatMeetANovice(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Drift drift = drift(tiny.model(), List.of(tiny.block()), rewritten(tiny, zeros(1, 3)));

    long met = choices(tiny, Set.of(1L, 3L));
    assertThat(met).isBetween(1L, 2L * TOKENS - 1);
    assertThat(drift.calls()).contains(new Calls(2L * TOKENS, met));
    BlockDrift block = drift.blocks().get("experts");
    assertThat(block.output().relativeError()).isPositive();
    assertThat(block.output().cosine()).isBetween(-1.0, 0.9999);
    // y = x + routed: what moved is the same, what it is compared with is not
    assertThat(drift.outputs().get("y").apart()).isCloseTo(block.output().apart(), within(1e-5));
    assertThat(drift.predictions()).isEmpty();
  }

  @Test
  void countsTheCallsThatGoElsewhereWhereTheRouterIsCut() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Model cut = rewritten(tiny, new Removal(new TreeSet<>(Set.of(0, 2))));

    assertThat(drift(tiny.model(), List.of(tiny.block()), cut).calls())
        .contains(new Calls(2L * TOKENS, choices(tiny, Set.of(0L, 2L))));
    try (SideBySide models = open(tiny.model(), List.of(tiny.block()), cut)) {
      assertThat(models.isRouterCut()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsApartInTwoEqualFiles(Spelling spelling) {
    TinyMoe tiny = spelling.of(4, 2, 4);
    Drift drift = drift(tiny.model(), List.of(tiny.block()), tiny.model());

    assertThat(drift.outputs().get("y").relativeError()).isZero();
    assertThat(drift.outputs().get("y").cosine()).isEqualTo(1);
    assertThat(drift.blocks().get("experts").output().relativeError()).isZero();
  }

  @Test
  void saysThatAModelDoesNotTellWhichExpertsWent() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    try (SideBySide models = open(tiny.model(), List.of(tiny.block()), tiny.model())) {
      assertThat(models.missing()).singleElement().asString().contains("'expert_substitution'");
      assertThat(models.isRouterCut()).isFalse();
    }
    assertThat(drift(tiny.model(), List.of(tiny.block()), tiny.model()).calls()).isEmpty();
  }

  @Test
  void saysThatABlockIsNotFoundInThePrunedModel() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    Model other = tiny.with("y = Add (x, routed)", "y = Sub (x, routed)").model();
    try (SideBySide models = open(tiny.model(), List.of(tiny.block()), other)) {
      assertThat(models.missing())
          .first()
          .isEqualTo("block 'experts' is not found in the pruned model");
      assertThat(models.run(Map.of("x", X)).blocks()).isEmpty();
    }
  }

  @Test
  void saysThatExpertsWentFromABlockThatIsNotKnown() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    try (SideBySide models = open(tiny.model(), List.of(), rewritten(tiny, zeros(1)))) {
      assertThat(models.missing())
          .containsExactly("experts went from block 'experts', which is not found in the original");
    }
  }

  @Test
  void choicesThatWereTakenBackAreNoCalls() {
    Map<String, Tensor> feeds = SwitchMoe.feeds(9);
    MoeBlock block = SwitchMoe.block();
    Model after =
        Rewriter.rewrite(
            Canonical.of(SwitchMoe.model()), List.of(block), Map.of(block.name(), zeros(0, 1, 2)));
    ProofRuns bench = new ProofRuns(SwitchMoe.model(), Path.of("."), RunOptions.cpu());
    Tensor kept = bench.values(List.of("kept"), List.of(feeds)).get(0).get("kept");
    long goes = LongStream.of(kept.toLongs()).sum();
    Drift.Meter meter = new Drift.Meter();
    try (SideBySide models = open(SwitchMoe.model(), List.of(block), after)) {
      meter.add(models.run(feeds));
    }

    assertThat(goes).isLessThan(kept.elements() / SwitchMoe.EXPERTS);
    assertThat(meter.drift().calls()).contains(new Calls(goes, goes));
  }

  @Test
  void graphsThatTakeOtherInputsAreRefused() {
    TinyMoe tiny = Spelling.DYNAMO.of(4, 2, 4);
    assertThatThrownBy(() -> open(tiny.model(), List.of(), Spelling.DYNAMO.of(4, 2, 8).model()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("before.onnx")
        .hasMessageContaining("after.onnx cannot be compared: input 'x' is float[T, 4]");
  }
}
