package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What every spelling of a block has in common once it is found. */
final class FormsTest {
  @ParameterizedTest
  @EnumSource
  void findEverySpelling(Spelling spelling) {
    MoeBlock block = spelling.of(3, 2, 4).block();

    assertThat(block.routing().choice().value()).isEqualTo("experts");
    assertThat(block.routing().input()).isEqualTo("x");
    assertThat(block.routing().router()).isEqualTo("router");
    assertThat(block.routing().kind()).isEqualTo("SoftmaxTopKRenormalised");
    assertThat(block.experts()).isEqualTo(3);
    assertThat(block.topK()).isEqualTo(2);
    assertThat(block.hidden()).isEqualTo(4);
    assertThat(block.routingWeights().value())
        .isEqualTo(
            spelling == Spelling.FUSED ? "experts" : spelling.hasMatrix() ? "matrix" : "gates");
    assertThat(block.output()).isEqualTo("routed");
    assertThat(block.expertBytes()).isEqualTo(4L * 2 * 4 * 5);
  }

  @ParameterizedTest
  @CsvSource({
    "TORCHSCRIPT, 2, 1, 3",
    "DYNAMO, 8, 3, 6",
    "GATHERED, 16, 4, 8",
    "BUFFER, 6, 3, 5",
    "STACKED, 4, 4, 4",
    "PICKED, 3, 1, 3",
    "SUMS, 5, 5, 1",
    "FUSED, 6, 5, 2"
  })
  void findEverySize(Spelling spelling, int experts, int topK, int hidden) {
    MoeBlock block = spelling.of(experts, topK, hidden).block();

    assertThat(block.experts()).isEqualTo(experts);
    assertThat(block.topK()).isEqualTo(topK);
    assertThat(block.hidden()).isEqualTo(hidden);
  }

  @ParameterizedTest
  @CsvSource({
    "TORCHSCRIPT, sparse-loop, 6",
    "DYNAMO, sparse-loop, 6",
    "LOOKUP, sparse-loop, 6",
    "BUFFER, slot-buffer, 6",
    "COLUMNS, dense-loop, 6",
    "SUMS, dense-loop, 6",
    "GUARDED, sparse-loop, 6",
    "BRANCHED, dense-loop, 6",
    "ROUNDS, sparse-loop, 2",
    "GATHERED, gathered-weights, 2",
    "SORTED, sorted-segments, 6",
    "GROUPED, sorted-segments, 2",
    "STACKED, stacked-dense, 2",
    "PICKED, dense-stack, 6",
    "FUSED, fused-operator, 2",
  })
  void nameTheirFormAndTheWeights(Spelling spelling, String form, int weights) {
    MoeBlock block = spelling.of(3, 2, 4).block();

    assertThat(block.form()).isEqualTo(form);
    assertThat(block.weights())
        .hasSize(weights)
        .allMatch(weight -> weight.startsWith("up") || weight.startsWith("down"));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FUSED")
  void takeTheScoresThemselvesForRoutingWeightsIfNothingRescalesThem(Spelling spelling) {
    TinyMoe plain =
        spelling.of(3, 2, 4).with("gates = Div (best, total)", "gates = Identity (best)");

    assertThat(plain.block().routingWeights().value())
        .isEqualTo(spelling.hasMatrix() ? "matrix" : "best");
  }

  @ParameterizedTest
  @EnumSource
  void leaveASharedExpertAlone(Spelling spelling) {
    TinyMoe shared =
        spelling
            .of(3, 2, 4)
            .with(
                "y = Add (x, routed)",
                "every = Tanh (x)\n  both = Add (routed, every)\n  y = Add (x, both)");

    assertThat(shared.block().output()).isEqualTo("routed");
  }

  @Test
  void sayWhereRefusalsAre() {
    assertThat(Spelling.DYNAMO.of(3, 2, 4).with("(mask, id2)", "(mask, id1)").find().refusals())
        .extracting(Refusal::where)
        .containsExactly("experts");
  }

  @Test
  void findTheBlocksOfALoopOverWholeLayers() {
    TinyMoe layers =
        Spelling.SUMS
            .of(3, 2, 4)
            .with("(x, ", "(moved, ")
            .with("=> (float[T, 4] y)", "=> (float[T, 4] z)")
            .with("int64[1] k", "int64 layers = {2}, float[2, 4] shifts, int64[1] k")
            .with(
                "{\n  logits",
                """
                {
                  z = Loop <body = layer (int64 number, bool more, float[...] h)
                                => (bool on, float[...] y) {
                  on = Identity (more)
                  shift = Gather <axis = 0> (shifts, number)
                  moved = Add (h, shift)
                  logits""")
            .with("y = Add (moved, routed)", "y = Add (moved, routed) }> (layers, , x)");

    assertThat(layers.find().refusals()).isEmpty();
    assertThat(layers.find().blocks())
        .extracting(MoeBlock::name)
        .containsExactly("experts0", "experts1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GUARDED | (count1, origin) | (count1, single) | missing: 1",
        "GUARDED | same_1 = Identity (routed1) | same_1 = Neg (routed1) | missing: 1",
        "BRANCHED | bits1 = Cast <to = 7> (same1) | bits1 = Cast <to = 7> (same0) | missing: 1",
        "ROUNDS | on = Identity (more) | on = Not (more) | no known form",
      })
  void leaveControlFlowThatDoesMoreThanLeaveOutAlone(
      Spelling spelling, String part, String otherwise, String reason) {
    MoeFinder.Findings findings = spelling.of(3, 2, 4).with(part, otherwise).find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .singleElement()
        .satisfies(refusal -> assertThat(refusal.reason()).contains(reason));
  }
}
