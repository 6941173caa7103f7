package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.api.Test;

class SlotSortTest {
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        sort (int64[T, 2] experts) => (int64[S] ids, int64[S] order)
        <int64[1] flat = {-1}>
        {
          list = Reshape (experts, flat)
          size = Shape (list)
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsSlotsThatAreSortedByTheirExpert() {
    assertThat(SlotSort.findAll(graph("ids, order = TopK <axis = 0, largest = 0> (list, size)")))
        .containsExactly(new SortedSlots("experts", "ids", "order"));
  }

  @Test
  void takesNoChoiceOfTheBestForASort() {
    assertThat(SlotSort.findAll(graph("ids, order = TopK (list, size)"))).isEmpty();
  }
}
