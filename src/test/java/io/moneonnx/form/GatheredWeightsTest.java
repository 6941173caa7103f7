package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import org.junit.jupiter.api.Test;

/** Hits and near misses of stacked weights of three experts, of which a token chooses two. */
final class GatheredWeightsTest {
  private static final TinyMoe TINY = Spelling.GATHERED.of(3, 2, 4);

  private static void refuses(TinyMoe near, String reason) {
    MoeFinder.Findings findings = near.find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(new Refusal("experts", "gathered-weights: " + reason));
  }

  @Test
  void findsBanksThatGatherNDReads() {
    MoeBlock block =
        TINY.with(
                "ups = Gather <axis = 0> (up, ids)",
                "idColumn = Unsqueeze (ids, last)\n  ups = GatherND (up, idColumn)")
            .block();

    assertThat(block.weights()).containsExactlyInAnyOrder("up", "down");
  }

  @Test
  void findsBiasesAmongTheBanks() {
    MoeBlock block =
        TINY.with("int64[1] k", "float[3, 5, 1] bias, int64[1] k")
            .with(
                "act = Tanh (in)",
                "biases = Gather <axis = 0> (bias, ids)\n  sum = Add (in, biases)\n  act = Tanh (sum)")
            .block();

    assertThat(block.weights()).containsExactlyInAnyOrder("up", "down", "bias");
    assertThat(block.expertBytes()).isEqualTo(4 * (20 + 20 + 5));
  }

  @Test
  void wantsTheExpertsInFront() {
    refuses(
        TINY.with("float[3, 5, 4] up", "float[6, 5, 4] up"),
        "'up' [6, 5, 4] is gathered by the routing indices; expected 3 experts in front");
  }

  @Test
  void takesBanksThatAreConstantsLaidOutOtherwise() {
    assertThat(
            TINY.with("float[3, 5, 4] up", "float[3, 4, 5] across")
                .with("  ups =", "  up = Transpose <perm = [0, 2, 1]> (across)\n  ups =")
                .block()
                .weights())
        .containsExactlyInAnyOrder("across", "down");
  }

  @Test
  void takesSlotsOfSeveralDimensions() {
    TinyMoe tiny =
        Spelling.GATHERED_FOR_TOKENS
            .of(3, 2, 4)
            .with("int64[1] k", "float[3, 5] bias, int64[1] k")
            .with(
                "act = Tanh (in)",
                "own = Gather <axis = 0> (bias, experts)\n  added = Unsqueeze (own, last)\n"
                    + "  sum = Add (in, added)\n  act = Tanh (sum)");

    assertThat(tiny.block())
        .returns(4, MoeBlock::hidden)
        .returns(4L * (20 + 20 + 5), MoeBlock::expertBytes)
        .returns(5, MoeBlock::inner);
  }

  @Test
  void takesOutputsThatAreColumns() {
    TinyMoe tiny =
        Spelling.GATHERED_FOR_TOKENS
            .of(3, 2, 4)
            .with("float[3, 5, 4] up", "float[3, 4, 1] bias, float[3, 5, 4] up")
            .with(
                "raw = Squeeze (out, last)",
                "own = Gather <axis = 0> (bias, experts)\n  raw = Add (out, own)")
            .with(
                "scaled = Mul (raw, gate)",
                "column = Unsqueeze (gate, last)\n  scaled = Mul (raw, column)")
            .with("y = Add (x, routed)", "row = Squeeze (routed, last)\n  y = Add (x, row)");

    assertThat(tiny.block().ffn()).singleElement().returns(4, ffn -> ffn.hidden());
  }

  @Test
  void wantsAsManyDimensionsOfWhatTheWeightsMeet() {
    refuses(
        Spelling.GATHERED_FOR_TOKENS
            .of(3, 2, 4)
            .with("int64[1] k", "int64[2] turned = {-1, 1}, int64[1] k")
            .with("columns = Unsqueeze (apart, last)", "columns = Reshape (x, turned)"),
        "'columns' has 2 dimensions; expected 4, 2 of them of slots");
  }

  @Test
  void wantsTheSlotsOfAllTokensInOneDimension() {
    refuses(
        TINY.with("ups = Gather <axis = 0> (up, ids)", "ups = Gather <axis = 0> (up, experts)"),
        "'ups' has 4 dimensions; expected 3, one of slots before those of 'up'");
  }

  @Test
  void wantsOneActivation() {
    refuses(
        TINY.with("act = Tanh (in)", "more = Add (in, extra)\n  act = Tanh (more)")
            .with("(float[T, 4] x)", "(float[T, 4] x, float[5, 1] extra)"),
        "the gathered weights meet 2 activations [extra, columns]; expected one");
  }

  @Test
  void wantsOneSum() {
    refuses(
        TINY.with(
            "y = Add (x, routed)",
            "again = ReduceSum <keepdims = 0> (slots, one)\n  both = Add (routed, again)\n"
                + "  y = Add (x, both)"),
        "2 sums of weighted slots behind the gathered weights; expected one");
  }

  @Test
  void takesNoScaleForTheRoutingWeights() {
    misses(
        TINY.with("int64[1] k", "float[1] scale = {2}, int64[1] k")
            .with(
                "scaled = Mul (raw, gate)",
                "weighed = Mul (raw, gate)\n  scaled = Mul (weighed, scale)"),
        "no sum of weighted slots lies behind the gathered weights");
  }

  @Test
  void isNotTheFormOfSlotsThatAreNotSummed() {
    misses(
        TINY.with("routed = ReduceSum", "routed = ReduceMax"),
        "no sum of weighted slots lies behind the gathered weights");
  }

  @Test
  void isNotTheFormOfGatheredActivations() {
    misses(
        TINY.with("ups = Gather <axis = 0> (up, ids)", "ups = Gather <axis = 0> (x, ids)")
            .with("downs = Gather <axis = 0> (down, ids)", "downs = Gather <axis = 0> (x, ids)"),
        "what the routing indices gather are no constant weights");
  }

  private static void misses(TinyMoe near, String nearest) {
    MoeFinder.Findings findings = near.find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(
            new Refusal(
                "experts",
                "a router chooses 2 of 3, but no known form of experts depends on its choice"));
    assertThat(findings.misses()).contains(new Refusal("experts", "gathered-weights: " + nearest));
  }
}
