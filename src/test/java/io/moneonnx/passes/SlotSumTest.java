package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.api.Test;

class SlotSumTest {
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        sum (float[S, 4] rows, float[S, 1] gates) => (float[T, 4] y)
        <int64[3] shape = {-1, 2, 4}, int64[1] slots = {1}, int64[1] width = {-1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsTheSumOfWeighedSlotsInBothOrders() {
    Graph graph =
        graph(
            """
            scaled = Mul (rows, gates)
            slotted = Reshape (scaled, shape)
            y = ReduceSum <keepdims = 0> (slotted, slots)
            """);
    assertThat(SlotSum.findAll(graph))
        .containsExactly(
            new ReducedSlots("rows", "gates", "y"), new ReducedSlots("gates", "rows", "y"));
  }

  @Test
  void takesNoSumOverTheWidth() {
    Graph graph =
        graph(
            """
            scaled = Mul (rows, gates)
            y = ReduceSum <keepdims = 0> (scaled, width)
            """);
    assertThat(SlotSum.findAll(graph)).isEmpty();
  }

  private static Graph sorted(String nodes) {
    return CanonicalText.parse(
        """
        sum (float[S, 4] rows, float[S, 1] gates, int64[S] at, float[T, 4] zeros) => (float[T, 4] y)
        <int64[3] shape = {-1, 2, 4}, int64[1] slots = {1}>
        {
          scaled = Mul (rows, gates)
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsTheSumOfSlotsThatArePutBackIntoTheirOrder() {
    Graph graph =
        sorted(
            """
            placed = Gather (scaled, at)
            slotted = Reshape (placed, shape)
            y = ReduceSum <keepdims = 0> (slotted, slots)
            """);
    assertThat(SlotSum.findAll(graph))
        .containsExactly(
            new UnsortedSlots("rows", "gates", "at", "y"),
            new UnsortedSlots("gates", "rows", "at", "y"));
  }

  @Test
  void takesNoColumnsForPlaces() {
    Graph graph =
        sorted(
            """
            placed = Gather <axis = 1> (scaled, at)
            slotted = Reshape (placed, shape)
            y = ReduceSum <keepdims = 0> (slotted, slots)
            """);
    assertThat(SlotSum.findAll(graph)).isEmpty();
  }

  @Test
  void findsSlotsThatAreAddedToTheirTokens() {
    assertThat(SlotSum.findAll(sorted("  y = ScatterND <reduction = \"add\"> (zeros, at, scaled)")))
        .containsExactly(
            new AddedSlots("rows", "gates", "at", "y"), new AddedSlots("gates", "rows", "at", "y"));
  }

  @Test
  void takesNoSlotsThatOverwriteEachOther() {
    assertThat(SlotSum.findAll(sorted("  y = ScatterND (zeros, at, scaled)"))).isEmpty();
  }
}
