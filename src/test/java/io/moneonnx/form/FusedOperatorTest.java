package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.canonical.Canonical;
import io.moneonnx.graph.Graph;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Target;
import io.moneonnx.moe.Warning;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hits and near misses of an operator that holds three experts, of which a token chooses two. */
final class FusedOperatorTest {
  private static final TinyMoe TINY = Spelling.FUSED.of(3, 2, 4);
  private static final String NORMALISED = "normalize_routing_weights = 1";

  private static void refuses(TinyMoe near, String reason) {
    MoeFinder.Findings findings = near.find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(new Refusal("experts", "fused-operator: " + reason));
  }

  private static MoeBlock only(Graph graph, Target target) {
    MoeFinder.Findings findings =
        new MoeFinder(Forms.all(target)).find(Canonical.of(graph).graph());
    assertThat(findings.blocks()).as(findings.toString()).hasSize(1);
    return findings.blocks().get(0);
  }

  @Test
  void countsBiasesAmongTheWeights() {
    MoeBlock block =
        TINY.with("int64[1] k", "float[3, 5] upBias, float[3, 4] downBias, int64[1] k")
            .with("up, , down", "up, upBias, down, downBias")
            .block();

    assertThat(block.weights()).containsExactlyInAnyOrder("up", "down", "upBias", "downBias");
    assertThat(block.expertBytes()).isEqualTo(4 * (20 + 20 + 5 + 4));
  }

  @Test
  void readsARouterOfPackedWeights() {
    TinyMoe packed =
        TINY.with("float[3, 4] router", "float[3, 1, 2] router, float[3] scales")
            .with(
                "Gemm <transB = 1> (x, router)",
                "com.microsoft.MatMulNBits <N = 3, K = 4, bits = 4, block_size = 16>"
                    + " (x, router, scales)");

    assertThat(packed.block().routing())
        .returns(3, routing -> routing.experts())
        .returns(4, routing -> routing.hidden())
        .returns("router", routing -> routing.router());
  }

  @Test
  void readsARouterOfDequantisedWeights() {
    TinyMoe packed =
        TINY.with("int64[1] k", "float scale, int64[1] k")
            .with(
                "logits = Gemm <transB = 1> (x, router)",
                "wide = DequantizeLinear (router, scale)\n"
                    + "  logits = Gemm <transB = 1> (x, wide)");

    assertThat(packed.block().routing()).returns("router", routing -> routing.router());
  }

  @Test
  void refusesScoresOfNoRouter() {
    TinyMoe near = TINY.with("experts = Reshape (logits, all)", "experts = CumSum (logits, k)");

    assertThat(near.find().refusals())
        .containsExactly(
            new Refusal(
                "MoE -> routed",
                "the scores 'experts' that MoE chooses by do not come from exactly one projection"
                    + " with a constant weight"));
  }

  @Test
  void refusesAnAttributeItDoesNotKnow() {
    refuses(
        TINY.with(NORMALISED, NORMALISED + ", capacity = 4"),
        "MoE has the attribute 'capacity', which is not known");
    refuses(
        TINY.with(NORMALISED, NORMALISED + ", expert_weight_bits = 4"),
        "MoE has the attribute 'expert_weight_bits', which is not known");
  }

  @Test
  void refusesAnAttributeOfAnotherKind() {
    refuses(
        TINY.with(NORMALISED, "normalize_routing_weights = \"yes\""),
        "MoE has the attribute 'normalize_routing_weights' = OfText[value=yes]");
  }

  @Test
  void refusesAnInputItDoesNotKnow() {
    refuses(
        TINY.with("up, , down)", "up, , down, , , , router)"),
        "MoE has an input 8, 'router', which is not known");
  }

  @Test
  void refusesMoreChoicesThanExperts() {
    refuses(TINY.with("MoE <k = 2", "MoE <k = 4"), "MoE chooses 4 of 3 experts");
  }

  @Test
  void refusesWeightsThatAreComputed() {
    refuses(
        TINY.with("up, , down)", "twice, , down)")
            .with("  logits =", "  twice = Add (up, up)\n  logits ="),
        "input 2 of MoE, 'twice', is not an initializer, nor made of some by laying them out");
  }

  @Test
  void wantsTheExpertsInFront() {
    refuses(
        TINY.with("float[3, 5, 4] up", "float[5, 3, 4] up"),
        "input 2 of MoE, 'up', is [5, 3, 4]; expected 3 experts in front");
  }

  @Test
  void wantsTheWidthOfTheRoutersInput() {
    refuses(
        TINY.with("float[3, 4, 5] down", "float[3, 6, 5] down"),
        "the last weights of the experts of MoE are [3, 6, 5] behind first ones [3, 5, 4];"
            + " expected [3, 4, inner]");
  }

  @Test
  void readsEachWeightByItsOwnBits() {
    TinyMoe mixed =
        TINY.with("com.microsoft.MoE <", "com.microsoft.QMoE <accuracy_level = 4, $bits, ")
            .with("up, , down)", "up, , , down)")
            .with("float[3, 5, 4] up, float[3, 4, 5] down", "$weights");
    TinyMoe halves =
        mixed
            .with("$bits", "fc1_expert_weight_bits = 2, fc2_expert_weight_bits = 8")
            .with("$weights", "float[3, 8, 1] up, float[3, 4, 8] down");

    assertThat(halves.block().ffn())
        .singleElement()
        .returns(8, ffn -> ffn.inner())
        .returns(4, ffn -> ffn.hidden());
    refuses(
        mixed
            .with("$bits", "expert_weight_bits = 2, fc2_expert_weight_bits = 4")
            .with("$weights", "float[3, 8, 1] up, float[3, 4, 8] down"),
        "the last weights of the experts of QMoE are [3, 4, 16] behind first ones [3, 8, 4];"
            + " expected [3, 4, inner]");
  }

  @Test
  void wantsOneOperatorForAChoice() {
    MoeFinder.Findings findings =
        TINY.with("  y =", "  more = com.microsoft.MoE <k = 2> (x, experts, up, , down)\n  y =")
            .with("(x, routed)", "(more, routed)")
            .find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .extracting(Refusal::reason)
        .containsOnly(
            "fused-operator: 2 operators choose by the same scores 'experts'; expected one");
  }

  @Test
  void isNoOperatorOfAnotherDomain() {
    MoeFinder.Findings findings = TINY.with("com.microsoft.MoE", "example.MoE").find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "MoE, 1, 0, CPU, SoftmaxTopKRenormalised",
    "MoE, 0, 0, CPU, SoftmaxTopK",
    "MoE, 1, 1, CPU, SoftmaxTopKRenormalised",
    "MoE, 1, 1, CUDA, Sparsemixer",
    "MoE, 0, 0, CUDA, SoftmaxTopK",
    "QMoE, 0, 0, CPU, TopKSoftmax",
    "QMoE, 0, 0, CUDA, SoftmaxTopK",
    "QMoE, 1, 0, TENSORRT, SoftmaxTopKRenormalised",
    "QMoE, 1, 1, TENSORRT, Sparsemixer",
  })
  void readsTheRoutingAsTheTargetDoesIt(
      String operator, int normalised, int sparse, Target target, String kind) {
    Graph graph =
        Spelling.FUSED
            .of(8, 2, 4)
            .with("MoE <", operator.equals("MoE") ? "MoE <" : "QMoE <expert_weight_bits = 8, ")
            .with(
                NORMALISED,
                "normalize_routing_weights = %d, use_sparse_mixer = %d"
                    .formatted(normalised, sparse))
            .with("up, , down)", operator.equals("MoE") ? "up, , down)" : "up, , , down)")
            .graph();

    assertThat(only(graph, target).routing().kind()).isEqualTo(kind);
  }

  @Test
  void refusesASparseMixerThatDoesNotRun() {
    MoeFinder.Findings findings =
        new MoeFinder(Forms.all(Target.CUDA))
            .find(TINY.with(NORMALISED, "use_sparse_mixer = 1").graph());

    assertThat(findings.refusals())
        .containsExactly(
            new Refusal(
                "experts",
                "fused-operator: the sparse mixer chooses 2 of 3 experts; expected 2 of 8 or 16"));
  }

  @Test
  void warnsOfWhatTheCpuGetsWrong() {
    assertThat(TINY.find().warnings()).isEmpty();
    assertThat(TINY.with(NORMALISED, "normalize_routing_weights = 0").find().warnings())
        .extracting(Warning::where)
        .containsExactly("experts");
  }
}
