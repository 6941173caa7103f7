package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import io.moneonnx.moe.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Near misses of loops of three experts, of which a token chooses two. */
final class SparseLoopTest {
  private static void refuses(TinyMoe near, String reason) {
    MoeFinder.Findings findings = near.find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(new Refusal("experts", "sparse-loop: " + reason));
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void saysWhichExpertIsMissing(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    String text = tiny.text();
    int expert1 = text.indexOf("  row1 =");
    int expert2 = text.indexOf("  row2 =");
    TinyMoe two = tiny.with(text.substring(expert1, expert2), "").with("(routed2, ", "(routed1, ");

    refuses(two, "2 expert regions for 3 router outputs; missing: 1");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void saysWhichExpertIsThereTwice(Spelling spelling) {
    refuses(
        spelling.of(3, 2, 4).with("int64 id2 = {2}", "int64 id2 = {1}"),
        "two regions for expert 1");
  }

  @Test
  void saysWhichExpertTheRouterDoesNotKnow() {
    refuses(
        Spelling.TORCHSCRIPT.of(3, 2, 4).with("int64 id2 = {2}", "int64 id2 = {7}"),
        "expert regions for ids 7, but the router has 3 outputs");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void wantsOneChain(Spelling spelling) {
    refuses(
        spelling
            .of(3, 2, 4)
            .with("(routed2, ", "(routed0, ")
            .with("y = Add (x, routed)", "both = Add (routed2, routed)\n  y = Add (x, both)"),
        "the experts' outputs are not added up in one chain");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void wantsTheSameRoutingWeightsForAllExperts(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    TinyMoe mixed =
        spelling == Spelling.TORCHSCRIPT
            ? tiny.with("(list, place1)", "(raws, place1)")
                .with("  list =", "  raws = Reshape (best, last)\n  list =")
            : tiny.with("(perSlot, place1)", "(raws, place1)")
                .with("  perSlot =", "  raws = Unsqueeze (best, two)\n  perSlot =");

    refuses(mixed, "the experts take their routing weights from different values: [gates, best]");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void saysWhichExpertOverwritesWhereOthersAdd(Spelling spelling) {
    TinyMoe tiny = spelling.of(3, 2, 4);
    TinyMoe overwriting =
        spelling == Spelling.TORCHSCRIPT
            ? tiny.with("routed2 = Add (", "routed2 = Max (")
            : tiny.with(
                "routed2 = ScatterND <reduction = \"add\">",
                "routed2 = ScatterND <reduction = \"max\">");

    refuses(overwriting, "2 expert regions for 3 router outputs; missing: 1");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void countsSharedWeightsAsNobodysOwn(Spelling spelling) {
    TinyMoe shared = spelling.of(3, 2, 4).with("(rows1, up1)", "(rows1, up0)");

    assertThat(shared.block().weights())
        .containsExactlyInAnyOrder("up2", "down0", "down1", "down2");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void isNotTheFormOfAMaskWithoutItsHits(Spelling spelling) {
    MoeFinder.Findings findings =
        spelling.of(3, 2, 4).with("mask = Transpose", "mask = com.microsoft.Transpose").find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .extracting(Refusal::reason)
        .containsExactly(
            "a router chooses 2 of 3, but no known form of experts depends on its choice");
    assertThat(findings.misses())
        .anySatisfy(miss -> assertThat(miss.reason()).startsWith("sparse-loop: "));
  }

  @Test
  void takesExpertsFromTheClassesThatTheMaskHasRowsFor() {
    TinyMoe permuted =
        Spelling.DYNAMO.of(3, 2, 4).with("classes = {0, 1, 2}", "classes = {2, 0, 1}");
    MoeBlock block = permuted.block();
    Ops ops = new Ops(new GraphEdit(permuted.model()), "test");

    assertThat(((Rows.PerExpert) block.claim().layout().rows(ops)).outputs())
        .containsExactly("raw1", "raw2", "raw0");
  }

  @Test
  void saysWhichClassTheRouterDoesNotKnow() {
    refuses(
        Spelling.DYNAMO.of(3, 2, 4).with("classes = {0, 1, 2}", "classes = {0, 1, 9}"),
        "expert regions for ids 9, but the router has 3 outputs");
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void takesNoScaleForTheRoutingWeights(Spelling spelling) {
    TinyMoe scaled = spelling.of(3, 2, 4).with("int64[1] k", "float[1] scale = {2}, int64[1] k");
    for (int e = 0; e < 3; e++) {
      String product =
          "scaled%1$d = Mul (raw%1$d, %2$s%1$d)"
              .formatted(e, spelling == Spelling.TORCHSCRIPT ? "column" : "gate");
      scaled =
          scaled.with(
              product,
              product.replace("scaled", "weighed")
                  + "\n  scaled%1$d = Mul (weighed%1$d, scale)".formatted(e));
    }

    assertThat(scaled.find().blocks()).isEmpty();
    assertThat(scaled.find().refusals()).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource(names = {"TORCHSCRIPT", "DYNAMO"})
  void wantsNoReadersOfItsInsides(Spelling spelling) {
    refuses(
        spelling
            .of(3, 2, 4)
            .with("y = Add (x, routed)", "half = Add (x, routed1)\n  y = Add (half, routed)"),
        "'routed1', inside the experts, is read outside the block too; expected all through 'routed'");
  }
}
