package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Refusal;
import org.junit.jupiter.api.Test;

/** Near misses of loops in which every expert computes every token. */
final class DenseLoopTest {
  private static void isRefused(TinyMoe tiny, String reason) {
    assertThat(tiny.find().blocks()).isEmpty();
    assertThat(tiny.find().refusals())
        .singleElement()
        .extracting(Refusal::reason)
        .asString()
        .contains(reason);
  }

  @Test
  void refusesALoopWithoutOneOfItsExperts() {
    isRefused(
        Spelling.COLUMNS.of(4, 2, 4).with("(scaled0, scaled1)", "(scaled0, scaled0)"),
        "3 expert regions for 4 router outputs; missing: 1");
    isRefused(
        Spelling.COLUMNS
            .of(4, 2, 4)
            .with("scaled3 = Mul (raw3, gate3)", "scaled3 = Add (raw3, gate3)"),
        "3 expert regions for 4 router outputs; missing: 3");
  }

  /** Zero experts, as LongCat calls them: a token that chooses one is given back what it was. */
  @Test
  void leavesOutWhatOwnsNoWeights() {
    MoeBlock block = Spelling.SUMS.of(4, 2, 4).with("Mul (raw3, gate3)", "Mul (x, gate3)").block();

    assertThat(block.owners()).containsExactly(0, 1, 2);
    assertThat(block.weightless()).containsExactly(3);
    assertThat(block.output()).isEqualTo("routed3");
    assertThat(block.expertBytes()).isEqualTo(Spelling.SUMS.of(4, 2, 4).block().expertBytes());
  }

  @Test
  void leavesOutTheLastIdsWhereTheyAreAskedForTogether() {
    MoeBlock block =
        Spelling.SUMS
            .of(4, 2, 4)
            .with("Equal (experts, id3)", "GreaterOrEqual (experts, id3)")
            .with("Mul (raw3, gate3)", "Mul (x, gate3)")
            .block();

    assertThat(block.owners()).containsExactly(0, 1, 2);
  }

  @Test
  void wantsTheOutputsAddedUp() {
    isRefused(
        Spelling.COLUMNS.of(4, 2, 4).with("routed2 = Add", "routed2 = Sub"),
        "not added up to one value");
  }

  @Test
  void wantsEveryOutputAddedOnce() {
    isRefused(
        Spelling.COLUMNS
            .of(4, 2, 4)
            .with(
                "routed3 = Add (routed2, scaled2)",
                "twice = Add (routed2, scaled2)\n  routed3 = Add (twice, scaled2)"),
        "not added up to one value");
  }

  @Test
  void refusesOneColumnForTwoExperts() {
    isRefused(
        Spelling.COLUMNS.of(4, 2, 4).with("(matrix, from2, to2,", "(matrix, from1, to1,"),
        "two regions for expert 1");
  }

  @Test
  void refusesRoutingWeightsFromDifferentValues() {
    isRefused(
        Spelling.SUMS
            .of(4, 2, 4)
            .with("kept2 = Mul (gates, isChosen2)", "kept2 = Mul (best, isChosen2)"),
        "take their routing weights from different values");
  }

  @Test
  void refusesARawOutputThatIsReadElsewhere() {
    isRefused(
        Spelling.COLUMNS
            .of(4, 2, 4)
            .with("y = Add (x, routed)", "x2 = Add (x, raw2)\n  y = Add (x2, routed)"),
        "'raw2', inside the experts, is read outside the block too");
  }

  @Test
  void refusesAPartialSumThatIsReadElsewhere() {
    isRefused(
        Spelling.COLUMNS
            .of(4, 2, 4)
            .with("y = Add (x, routed)", "x2 = Add (x, routed2)\n  y = Add (x2, routed)"),
        "'routed2', inside the experts, is read outside the block too");
  }

  @Test
  void refusesExpertsThatATableChooses() {
    TinyMoe hashed =
        Spelling.SUMS
            .of(4, 2, 4)
            .with(
                "int64[1] k",
                "int64[6, 2] table = {0, 1, 2, 3, 1, 2, 0, 3, 2, 1, 3, 0}, int64[1] k")
            .with(
                "best, experts = TopK <axis = -1, largest = 1> (scores, k)",
                "experts = Gather <axis = 0> (table, words)\n"
                    + "  best = GatherElements <axis = -1> (scores, experts)")
            .withInput("int64[T] words");

    isRefused(hashed, "experts are chosen by a table of token ids, 'table' [6, 2] read by 'words'");
  }
}
