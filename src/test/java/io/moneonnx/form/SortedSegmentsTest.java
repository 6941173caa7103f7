package io.moneonnx.form;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe;
import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.MoeFinder;
import io.moneonnx.moe.Refusal;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Hits and near misses of slots sorted by three experts, of which a token chooses two. */
final class SortedSegmentsTest {
  private static final TinyMoe SORTED = Spelling.SORTED.of(3, 2, 4);
  private static final TinyMoe GROUPED = Spelling.GROUPED.of(3, 2, 4);

  private static void refuses(TinyMoe near, String reason) {
    MoeFinder.Findings findings = near.find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.refusals())
        .containsExactly(new Refusal("experts", "sorted-segments: " + reason));
  }

  private static void misses(TinyMoe near, String nearest) {
    MoeFinder.Findings findings = near.find();

    assertThat(findings.blocks()).isEmpty();
    assertThat(findings.misses()).contains(new Refusal("experts", "sorted-segments: " + nearest));
  }

  /** Segments cut all at once, into parts of the sizes that {@code nodes} make. */
  private static TinyMoe split(String sizes, String nodes) {
    return GROUPED
        .with("  ends = CumSum (counts, id0)\n", nodes)
        .with("  bound1 = Slice (ends, from0, to0, zero)\n", "")
        .with("  bound2 = Slice (ends, from1, to1, zero)\n", "")
        .with("  bound = Slice (ends, from2, to2, zero)\n", "")
        .with(
            "  segment0 = Slice (rows, bound0, bound1, zero)\n",
            "  segment0, segment1, segment2 = Split <axis = 0> (rows, %s)\n".formatted(sizes))
        .with("  segment1 = Slice (rows, bound1, bound2, zero)\n", "")
        .with("  segment2 = Slice (rows, bound2, bound, zero)\n", "")
        .with(
            "  half0 = Slice (act, bound0, bound1, zero)\n",
            "  half0, half1, half2 = Split <axis = 0> (act, %s)\n".formatted(sizes))
        .with("  half1 = Slice (act, bound1, bound2, zero)\n", "")
        .with("  half2 = Slice (act, bound2, bound, zero)\n", "");
  }

  /** Every count by itself, and all of them joined again in some order. */
  private static String joined(String order) {
    return "  count0 = Slice (counts, from0, to0)\n  count1 = Gather <axis = 0> (counts, from1)\n"
        + "  count2 = Slice (counts, from2, to2)\n"
        + "  sizes = Concat <axis = 0> (%s)\n".formatted(order);
  }

  private static Stream<TinyMoe> splits() {
    return Stream.of(split("counts", ""), split("sizes", joined("count0, count1, count2")));
  }

  @Test
  void findsTheWeightsOfOneStageAndOfTwo() {
    assertThat(SORTED.block().weights())
        .containsExactlyInAnyOrder("up0", "up1", "up2", "down0", "down1", "down2");
    assertThat(GROUPED.block().weights()).containsExactlyInAnyOrder("up", "down");
  }

  @Test
  void findsBiasesThatAreGatheredForEachRow() {
    MoeBlock block =
        GROUPED
            .with("int64[1] k", "float[3, 5] bias, int64[1] k")
            .with(
                "act = Tanh (in)",
                "biases = Gather <axis = 0> (bias, sorted)\n  sum = Add (in, biases)\n"
                    + "  act = Tanh (sum)")
            .block();

    assertThat(block.weights()).containsExactlyInAnyOrder("up", "down", "bias");
    assertThat(block.expertBytes()).isEqualTo(4 * (20 + 20 + 5));
  }

  @ParameterizedTest
  @MethodSource("splits")
  void findsSegmentsThatAreCutAllAtOnce(TinyMoe split) {
    assertThat(split.block().weights()).containsExactlyInAnyOrder("up", "down");
  }

  @Test
  void wantsTheCountsInTheOrderOfTheExperts() {
    misses(
        split("sizes", joined("count0, count2, count1")),
        "the slots are sorted by expert, but no segments end at the counts of their ids");
  }

  @Test
  void findsSlotsThatAreAddedToTheirTokens() {
    TinyMoe added =
        GROUPED
            .with("  slots = Reshape (placed, bySlot)\n", "")
            .with(
                "  placed = Gather <axis = 0> (scaled, place)\n",
                """
                  size2 = Shape (x)
                  base = ConstantOfShape <value = float[1] {0}> (size2)
                  at = Unsqueeze (token, last)
                """)
            .with(
                "ReduceSum <keepdims = 0> (slots, one)",
                "ScatterND <reduction = \"add\"> (base, at, scaled)");

    assertThat(added.block().output()).isEqualTo("routed");
    assertThat(added.block().routingWeights().value()).isEqualTo("gates");
  }

  @Test
  void findsCountsOfTheSortedIds() {
    String counts =
        """
          clamped = Clip (flat, id0, most)
          counts = ScatterElements <axis = 0, reduction = "add"> (nothing, clamped, ones)
          ends = CumSum (counts, id0)
        """;
    TinyMoe sortedFirst =
        GROUPED
            .with(counts, "")
            .with("  token = Div", counts.replace("(flat", "(sorted") + "  token = Div");

    assertThat(sortedFirst.find().blocks()).hasSize(1);
  }

  @Test
  void refusesIdsThatAreClampedToOthers() {
    refuses(
        GROUPED.with("most = {2}", "most = {1}"),
        "expert 2 is counted as 1.000 in 'clamped'; expected every id counted as it is");
  }

  @Test
  void refusesAnOrderOfSlotsThatIsClamped() {
    refuses(
        SORTED.with(
            "token = Div (order, slotsOfToken)",
            "near = Min (order, slotsOfToken)\n  token = Div (near, slotsOfToken)"),
        "the order of the slots is changed by Min 'Min -> near'");
  }

  @Test
  void refusesIdsThatAreChangedInAWayThatIsNotKnown() {
    refuses(
        GROUPED.with("clamped = Clip (flat, id0, most)", "clamped = Mod (flat, most)"),
        "'Mod -> clamped' (Mod) changes the ids before they are counted in a way that is not"
            + " known");
  }

  private static Stream<TinyMoe> otherBounds() {
    return Stream.of(
        SORTED.with("end2 = Gather <axis = 0> (ends, id2)", "end2 = Gather <axis = 0> (ends, id1)"),
        SORTED.with("(rows, bound1, bound2, zero, one)", "(rows, bound0, bound2, zero, one)"),
        SORTED.with("(rows, bound0, bound1, zero, one)", "(rows, one, bound1, zero, one)"));
  }

  @ParameterizedTest
  @MethodSource("otherBounds")
  void wantsASegmentForEachExpert(TinyMoe near) {
    assertThat(near.find().blocks()).isEmpty();
    assertThat(near.find().refusals())
        .extracting(Refusal::reason)
        .singleElement()
        .asString()
        .startsWith(
            "sorted-segments: 'rows' is cut into 2 expert regions for 3 router outputs; missing: ");
  }

  @ParameterizedTest
  @CsvSource({
    "'unit = {1}', 'unit = {2}'",
    "'value = int64[1] {0}> (wide)', 'value = int64[1] {1}> (wide)'"
  })
  void wantsOnesAddedToZeros(String part, String otherwise) {
    misses(
        SORTED.with(part, otherwise),
        "the slots are sorted by expert, but no segments end at the counts of their ids");
  }

  @Test
  void wantsAllSlotsSortedAtOnce() {
    misses(
        SORTED.with(
            "TopK <axis = -1, largest = 0> (ids, size)",
            "TopK <axis = -1, largest = 0> (ids, width)"),
        "the slots are not sorted by the experts that they chose");
  }

  @Test
  void wantsThePiecesInTheOrderOfTheirIds() {
    refuses(
        SORTED.with("(piece0, piece1, piece2)", "(piece1, piece0, piece2)"),
        "piece 0 of 'Concat -> raw' is not computed from the rows of expert 0; expected the order of"
            + " ids");
  }

  @Test
  void wantsAPieceFromEachExpert() {
    refuses(
        SORTED.with("(piece0, piece1, piece2)", "(piece0, piece2)"),
        "'rows' is cut into 2 expert regions for 3 router outputs; missing: 1");
  }

  @Test
  void wantsExpertsThatReadTheirOwnRowsOnly() {
    refuses(
        SORTED
            .with("act1 = Tanh (in1)", "more = Add (in1, extra)\n  act1 = Tanh (more)")
            .with("(float[T, 4] x)", "(float[T, 4] x, float[1, 5] extra)"),
        "expert 1 reads 'extra' beside its own rows and constants");
  }

  @Test
  void refusesRoutedAttention() {
    refuses(
        GROUPED.with(
            "act = Tanh (in)",
            "turned = Transpose (in)\n  pairs = MatMul (in, turned)\n  act = MatMul (pairs, in)"),
        "between two stages of the experts 'MatMul -> pairs' multiplies activations by each other:"
            + " routed attention, no feed-forward");
  }

  @Test
  void refusesRowsThatMeetOthersBetweenTheStages() {
    refuses(
        GROUPED
            .with("act = Tanh (in)", "more = Add (in, extra)\n  act = Tanh (more)")
            .with("(float[T, 4] x)", "(float[T, 4] x, float[1, 5] extra)"),
        "between two stages of the experts 'extra' is read, which is no row of an expert");
  }

  @Test
  void wantsOneSum() {
    refuses(
        SORTED.with(
            "y = Add (x, routed)",
            "again = ReduceSum <keepdims = 0> (scaled, one)\n  both = Add (routed, again)\n"
                + "  y = Add (x, both)"),
        "2 sums of weighted slots behind the experts' pieces; expected one");
  }

  @Test
  void refusesCountsThatAreReadElsewhere() {
    refuses(
        SORTED.with(
            "y = Add (x, routed)",
            "load = Cast <to = 1> (counts)\n  most = ReduceMax <keepdims = 0> (load)\n"
                + "  near = Add (x, most)\n  y = Add (near, routed)"),
        "'counts', inside the experts, is read outside the block too; expected all through 'routed'");
  }
}
