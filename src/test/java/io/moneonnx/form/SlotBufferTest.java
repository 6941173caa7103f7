package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.SwitchMoe;
import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import org.junit.jupiter.api.Test;

/** Hits and near misses of buffers that three experts put their rows into. */
final class SlotBufferTest {
  private static final TinyMoe TINY = Spelling.BUFFER.of(3, 2, 4);

  private static void refuses(MoeFinder.Findings findings, String reason) {
    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(new Refusal("experts", "slot-buffer: " + reason));
  }

  /** As TorchScript writes it: the same mask twice, and as many elements as it has hits. */
  @Test
  void findsMasksThatAreComputedTwice() {
    TinyMoe twice =
        TINY.with(
                "column1 = Unsqueeze (mask1, last)",
                "again = Equal (ids, id1)\n  column1 = Unsqueeze (again, last)")
            .with("(buffer1, places1, elements1)", "(buffer1, places1, counted)")
            .with(
                "  buffer2 =",
                """
              count = Shape <end = 1> (places1)
              counted = Slice (elements1, zero, count, zero)
              buffer2 =\
            """);

    assertThat(twice.block().weights())
        .containsExactlyInAnyOrder("up0", "down0", "up1", "down1", "up2", "down2");
  }

  @Test
  void findsRowsThatArePutInPlaceWhole() {
    String text =
        TINY.text()
            .replaceAll("  (column|size|wide|cells|places|elements)\\d = .*\n", "")
            .replaceAll("places(\\d), elements(\\d)", "at$1, raw$2");
    TinyMoe whole = new TinyMoe(Spelling.BUFFER, 3, 2, 4, text);

    assertThat(whole.block().output()).isEqualTo("routed");
  }

  @Test
  void findsWhatTakesChoicesBack() {
    MoeBlock block = SwitchMoe.block();

    assertThat(block.form()).isEqualTo("slot-buffer");
    assertThat(block.routing().choice()).isEqualTo(new Choice.Capped("experts", "scores", "kept"));
    assertThat(block.routingWeights().value()).isEqualTo("gates");
    assertThat(block.output()).isEqualTo("routed");
    assertThat(block.weights()).hasSize(12);
    assertThat(block.expertBytes()).isEqualTo(4L * (5 * 4 + 5 + 4 * 5 + 4));
  }

  @Test
  void wantsOneMaskThatTakesChoicesBack() {
    refuses(
        SwitchMoe.find(SwitchMoe.TEXT.replace("(kept, id1)", "(hot, id1)")),
        "only some of the experts' masks take choices back");
  }

  @Test
  void wantsOneChoiceATokenWhereSomeAreTakenBack() {
    TinyMoe capped =
        TINY.with("(float[T, 4] x)", "(float[T, 4] x, int64[S, 3] fits)")
            .with("int64[1] k", "int64 depth = {3}, int64[2] offOn = {0, 1}, int64[1] k")
            .with(
                "  ids = Reshape (experts, last)\n",
                """
              ids = Reshape (experts, last)
              hot = OneHot <axis = -1> (ids, depth, offOn)
              kept = Mul (hot, fits)
            """);
    for (int e = 0; e < 3; e++) {
      capped = capped.with("Equal (ids, id" + e + ")", "Gather <axis = 1> (kept, id" + e + ")");
    }

    refuses(
        capped.find(),
        "'kept' takes back some of the 2 choices of a token; expected one choice a token");
  }

  @Test
  void saysWhichExpertAddsWhereOthersOverwrite() {
    refuses(
        TINY.with("buffer2 = ScatterND", "buffer2 = ScatterND <reduction = \"add\">").find(),
        "2 expert regions for 3 router outputs; missing: 1");
  }

  @Test
  void saysWhichExpertIsThereTwice() {
    refuses(TINY.with("int64 id2 = {2}", "int64 id2 = {1}").find(), "two regions for expert 1");
  }

  @Test
  void wantsOneBuffer() {
    refuses(
        TINY.with("(buffer2, places2, elements2)", "(buffer0, places2, elements2)")
            .with(
                "slots = Reshape (buffer, bySlot)",
                "both = Add (buffer, buffer2)\n  slots = Reshape (both, bySlot)")
            .find(),
        "the experts' outputs are not put into one buffer");
  }

  @Test
  void wantsRoutingWeightsBehindTheBuffer() {
    refuses(
        TINY.with("scaled = Mul (slots, column)", "scaled = Tanh (slots)").find(),
        "the buffer 'buffer' is multiplied by 0 values that could be routing weights; expected one");
  }

  @Test
  void wantsNoReadersOfItsInsides() {
    refuses(
        TINY.with(
                "y = Add (x, routed)",
                "most = ReduceMax (buffer)\n  sum = Add (x, most)\n  y = Add (sum, routed)")
            .find(),
        "'buffer', inside the experts, is read outside the block too; expected all through 'routed'");
  }
}
