package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.data.Batch;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.rewrite.Replacement;
import io.moneonnx.run.RunOptions;
import io.moneonnx.verify.Oracle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What two models lack of each other whose down projections alone differ: {@code a g (D - D')}. */
final class BlockResidualTest {
  private static final int TOKENS = 20;

  /** A model and its block with down projections of this kind in place. */
  private static Model with(TinyMoe tiny, Map<Integer, NarrowExpert> down) {
    MoeBlock block = tiny.block();
    return Oracle.of(
            Canonical.of(tiny.model()).model(),
            List.of(block),
            Map.of(block.name(), Replacement.byNarrow(down)))
        .model();
  }

  private static Map<Integer, NarrowExpert> random(MoeBlock block, long seed) {
    Random random = new Random(seed);
    Map<Integer, NarrowExpert> experts = new TreeMap<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      float[] down = new float[block.hidden() * block.inner()];
      for (int i = 0; i < down.length; i++) {
        down[i] = (float) random.nextGaussian();
      }
      experts.put(expert, new NarrowExpert(IntStream.range(0, block.inner()).toArray(), down));
    }
    return experts;
  }

  @ParameterizedTest
  @EnumSource
  void isWhatTheActivationsMakeOfTheDifference(Spelling spelling) {
    TinyMoe tiny = spelling.of(5, 2, 4);
    MoeBlock block = tiny.block();
    Map<Integer, NarrowExpert> one = random(block, 1);
    Map<Integer, NarrowExpert> other = random(block, 2);
    assertThat(BlockResidual.objection(Canonical.of(tiny.model()).model(), block)).isEmpty();
    BlockResidual.Run run;
    try (BlockResidual models =
        BlockResidual.open(
            with(tiny, one), with(tiny, other), Path.of(""), block, RunOptions.cpu())) {
      run = models.run(Batch.of(Map.of("x", tiny.tokens(TOKENS, 1))));
    }

    float[] expected = new float[TOKENS * block.hidden()];
    int calls = 0;
    for (int expert = 0; expert < block.experts(); expert++) {
      int[] called = run.called(expert);
      List<Integer> neurons = one.get(expert).neurons();
      float[] activations = run.activations(expert, neurons);
      calls += called.length;
      for (int row = 0; row < called.length; row++) {
        for (int to = 0; to < block.hidden(); to++) {
          for (int i = 0; i < neurons.size(); i++) {
            expected[called[row] * block.hidden() + to] +=
                activations[row * neurons.size() + i]
                    * (one.get(expert).down(to, i) - other.get(expert).down(to, i));
          }
        }
      }
    }
    assertThat(calls).isEqualTo(TOKENS * block.topK());
    assertThat(run.tokens()).isEqualTo(TOKENS);
    assertThat(IntStream.range(0, expected.length).mapToDouble(i -> expected[i]).toArray())
        .hasSize(run.residual().length)
        .satisfies(
            found -> {
              for (int i = 0; i < found.length; i++) {
                assertThat((double) run.residual()[i]).isCloseTo(found[i], within(2e-4));
              }
            });
    assertThat(Arrays.equals(expected, new float[expected.length])).isFalse();
  }

  @Test
  void takesSomeNeuronsInTheirOrder() {
    TinyMoe tiny = Spelling.DYNAMO.of(5, 2, 4);
    MoeBlock block = tiny.block();
    Model model = Canonical.of(tiny.model()).model();
    try (BlockResidual models =
        BlockResidual.open(model, model, Path.of(""), block, RunOptions.cpu())) {
      BlockResidual.Run run = models.run(Batch.of(Map.of("x", tiny.tokens(TOKENS, 1))));
      float[] all = run.activations(1, List.of(0, 1, 2, 3, 4));
      float[] some = run.activations(1, List.of(1, 4));

      assertThat(some).hasSize(2 * run.called(1).length);
      assertThat(some[2]).isEqualTo(all[6]);
      assertThat(some[3]).isEqualTo(all[9]);
      assertThat(run.residual()).containsOnly(0f);
    }
  }

  @Test
  void saysWhatIsChangedBehindTheBlock() {
    TinyMoe tiny =
        Spelling.FUSED
            .of(3, 2, 4)
            .with("y = Add (x, routed)", "twice = Mul (routed, x)\n  y = Add (x, twice)");

    assertThat(BlockResidual.objection(Canonical.of(tiny.model()).model(), tiny.block()))
        .hasValueSatisfying(reason -> assertThat(reason).contains("residual stream 'y'"));
  }

  @Test
  void refusesStreamsThatAreNotFinite() {
    TinyMoe tiny = Spelling.DYNAMO.of(5, 2, 4);
    Model model = Canonical.of(tiny.model()).model();
    float[] tokens = tiny.tokens(TOKENS, 1).toFloats();
    tokens[5] = Float.POSITIVE_INFINITY;
    Batch batch = Batch.of(Map.of("x", Tensor.of(List.of((long) TOKENS, 4L), tokens)));
    try (BlockResidual models =
        BlockResidual.open(model, model, Path.of(""), tiny.block(), RunOptions.cpu())) {
      assertThatThrownBy(() -> models.run(batch))
          .isInstanceOf(BadInputException.class)
          .hasMessageContaining("is not finite at position 1");
    }
  }
}
