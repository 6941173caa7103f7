package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.api.Test;

class ExpertCountsTest {
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        count (int64[S] ids, int64[T, 2] experts, float[...] ones, float[T, 8] table) => (float[8] counts)
        <float[8] zeros, int64[1] tokens = {0}, int64[1] classes = {1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsOnesThatAreAddedUpInThePlaceOfTheirId() {
    Graph graph =
        graph(
            """
            counts = ScatterElements <axis = 0, reduction = "add"> (zeros, ids, ones)
            """);
    assertThat(ExpertCounts.findAll(graph))
        .containsExactly(new ScatteredCounts("zeros", "ids", "ones", "counts"));
  }

  @Test
  void findsOnesThatAreSpreadOverTheColumnsOfTheirIds() {
    Graph graph =
        graph(
            """
            hot = ScatterElements <axis = 1> (table, experts, ones)
            whole = Cast <to = 7> (hot)
            counts = ReduceSum <keepdims = 0> (whole, tokens)
            """);
    assertThat(ExpertCounts.findAll(graph))
        .containsExactly(new SpreadCounts("table", "experts", "ones", "counts"));
  }

  @Test
  void takesNoOnesThatOverwriteEachOther() {
    assertThat(
            ExpertCounts.findAll(graph("counts = ScatterElements <axis = 0> (zeros, ids, ones)")))
        .isEmpty();
  }

  @Test
  void takesNoSumOfTheExpertsOfAToken() {
    Graph graph =
        graph(
            """
            hot = ScatterElements <axis = 1> (table, experts, ones)
            counts = ReduceSum <keepdims = 0> (hot, classes)
            """);
    assertThat(ExpertCounts.findAll(graph)).isEmpty();
  }
}
