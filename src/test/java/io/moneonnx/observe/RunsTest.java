package io.moneonnx.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.run.RunOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks that are compared with their rows in some runs and not in others. */
final class RunsTest {
  private static final int RUNS = 5;

  /** What the blocks below are once a token is large: twice what their rows come to. */
  private static final String DOUBLED =
      """
      largest = ReduceMax <keepdims = 0> (x)
        isLarge = Greater (largest, hundred)
        factor = Where (isLarge, double, single)
        doubled = Mul (routed, factor)
      """;

  private static TinyMoe doubling(Spelling spelling, String rest) {
    return spelling
        .of(4, 2, 4)
        .with("y)\n<", "y)\n<float hundred = {100}, float double = {2}, float single = {1},")
        .with("y = Add (x, routed)", DOUBLED + rest);
  }

  private static TinyMoe alone(Spelling spelling) {
    return doubling(spelling, "  y = Add (x, doubled)");
  }

  /** With a second block behind the first one. */
  private static TinyMoe both() {
    return doubling(
        Spelling.FUSED,
        """
          next = Add (x, doubled)
          logits2 = Gemm <transB = 1> (next, router)
          experts2 = Identity (logits2)
          routed2 = com.microsoft.MoE <k = 2, activation_type = "relu", normalize_routing_weights = 1> (next, experts2, up, , down)
          y = Add (next, routed2)
        """);
  }

  private static List<MoeBlock> blocks(TinyMoe tiny) {
    return tiny.find().blocks().stream()
        .map(block -> block.output().equals("routed") ? until(block, "doubled") : block)
        .toList();
  }

  private static MoeBlock until(MoeBlock block, String output) {
    Claim claim =
        new Claim(
            block.routing(),
            block.routingWeights(),
            output,
            block.weights(),
            block.owners(),
            block.expertBytes(),
            block.ffn(),
            block.claim().layout());
    return new MoeBlock(block.name(), block.form(), block.precision(), claim);
  }

  private static Calibrator.Outcome runs(TinyMoe tiny, List<MoeBlock> blocks, int largeFrom) {
    return new Calibrator(Canonical.of(tiny.model()).model(), Path.of(""), blocks, RunOptions.cpu())
        .run(
            IntStream.rangeClosed(1, RUNS)
                .mapToObj(run -> Map.of("x", tokens(tiny, run, run >= largeFrom)))
                .toList());
  }

  private static Tensor tokens(TinyMoe tiny, int run, boolean isLarge) {
    Tensor tokens = tiny.tokens(12, run);
    float[] values = tokens.toFloats();
    values[0] = isLarge ? 101 : values[0];
    return Tensor.of(tokens.dims(), values);
  }

  @ParameterizedTest
  @CsvSource({"DYNAMO,1", "DYNAMO,2", "DYNAMO,4", "FUSED,1", "FUSED,2", "FUSED,4"})
  void areComparedInTheFirstTheSecondAndTheFourth(Spelling spelling, int run) {
    TinyMoe tiny = alone(spelling);

    assertThat(runs(tiny, blocks(tiny), run).disproved()).hasSize(1);
    assertThat(runs(tiny, blocks(tiny), RUNS + 1).disproved()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void behindADisprovedBlockMeasureWhatTheyDoAlone(int run) {
    TinyMoe tiny = both();
    List<MoeBlock> blocks = blocks(tiny);
    BlockStatistics alone = runs(tiny, blocks.subList(1, 2), run).statistics().get(0);

    Calibrator.Outcome found = runs(tiny, blocks, run);

    assertThat(found.disproved()).hasSize(1);
    assertThat(found.statistics()).containsExactly(alone);
  }

  @Test
  void behindABlockThatRunsTookForRightAreDisprovedWithIt() {
    TinyMoe tiny = both();

    Calibrator.Outcome found = runs(tiny, blocks(tiny), 3);

    assertThat(found.statistics()).isEmpty();
    assertThat(found.disproved())
        .extracting(Refusal::reason)
        .element(1)
        .asString()
        .isEqualTo(
            "measured behind '%s', which was disproved later"
                .formatted(found.disproved().get(0).where()));
  }
}
