package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.moe.Refusal;
import org.junit.jupiter.api.Test;

/** Blocks that a trace has tied to its example, and what looks like them. */
final class TracedConstantsTest {
  /** A loop over the experts that were hit: the trace unrolled it for as many as there were. */
  private static TinyMoe loopOverHits(String places) {
    return Spelling.TORCHSCRIPT
        .of(3, 2, 4)
        .with("int64[1] k", "int64[%d] places = {%s}, int64[1] k".formatted(2, places))
        .with(
            "  list = Reshape",
            """
              counted = ReduceSum <keepdims = 0> (mask, tokensAndSlots)
              isHit = Greater (counted, id0)
              hit = NonZero (isHit)
              hitColumn = Transpose <perm = [1, 0]> (hit)
              firstHit, secondHit = Split <axis = 0> (hitColumn, places)
              list = Reshape""")
        .with("int64[1] last", "int64[2] tokensAndSlots = {-1, -2}, int64[1] last")
        .with("row0 = Gather <axis = 0> (mask, id0)", "row0 = Gather <axis = 0> (mask, firstHit)")
        .with("row1 = Gather <axis = 0> (mask, id1)", "row1 = Gather <axis = 0> (mask, secondHit)");
  }

  @Test
  void saysHowManyExpertsTheExampleHit() {
    assertThat(loopOverHits("1, 1").find().refusals())
        .extracting(Refusal::reason)
        .singleElement()
        .asString()
        .contains(
            "traced-example: 2 expert regions for 3 router outputs: tracing kept one for each"
                + " expert that its example input chose (at 'firstHit'); export again with"
                + " experts_implementation=\"batched_mm\", or with a loop over all experts");
  }

  @Test
  void leavesAloneHitsThatAreTakenApartIntoTokenAndSlot() {
    TinyMoe rows =
        Spelling.TORCHSCRIPT
            .of(3, 2, 4)
            .with(
                "slots1, tokens1 = Split <axis = 1> (pairs1, halves)",
                """
                slotRow, tokenRow = Split <axis = 0> (hits1, halves)
                  slots1 = Transpose <perm = [1, 0]> (slotRow)
                  tokens1 = Transpose <perm = [1, 0]> (tokenRow)""");

    assertThat(rows.find().refusals())
        .extracting(Refusal::reason)
        .noneMatch(reason -> reason.contains("traced-example"));
  }

  @Test
  void saysThatCountsBecameConstants() {
    TinyMoe baked =
        Spelling.SORTED
            .of(3, 2, 4)
            .with("int64[1] bound0", "int64[1] three = {3}, int64[1] seven = {7}, int64[1] bound0")
            .with("(rows, bound0, bound1, zero, one)", "(rows, zero, three, zero, one)")
            .with("(rows, bound1, bound2, zero, one)", "(rows, three, seven, zero, one)");

    assertThat(baked.find().refusals())
        .extracting(Refusal::reason)
        .singleElement()
        .asString()
        .contains(
            "traced-example: 2 expert regions for 3 router outputs, cut at constant bounds (at"
                + " 'segment0'): tracing took the counts of its example input for them; export"
                + " again with counts that stay tensors, not lists or arrays");
  }

  @Test
  void leavesAloneOtherRowsThatAreCutAtConstants() {
    TinyMoe halves =
        Spelling.SORTED
            .of(3, 2, 4)
            .with(
                "  y = Add (x, routed)",
                "  upper = Slice (routed, zero, one)\n  lower = Slice (routed, one, two)\n"
                    + "  both = Add (upper, lower)\n  sum = Add (x, both)\n  y = Add (sum, routed)");

    assertThat(halves.find().refusals()).isEmpty();
    assertThat(halves.find().blocks()).hasSize(1);
  }
}
