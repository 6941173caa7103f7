package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.api.Test;

class ExpertGatherTest {
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        gather (int64[T, 2] ids, int64[S] others) => (float[S, 4, 4] a, float[S, 4, 4] b)
        <float[8, 4, 4] up, float[8, 4, 4] down, int64[1] flat = {-1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsEveryBankThatTheIdsIndex() {
    Graph graph =
        graph(
            """
            slots = Reshape (ids, flat)
            a = Gather (up, slots)
            column = Unsqueeze (slots, flat)
            b = GatherND (down, column)
            """);
    assertThat(ExpertGather.findAll(graph, "experts", "ids"))
        .containsExactlyInAnyOrder(
            new GatheredBank("up", "ids", "a"), new GatheredBank("down", "ids", "b"));
  }

  @Test
  void takesNoColumnsForExperts() {
    Graph graph =
        graph(
            """
            a = Gather <axis = 1> (up, ids)
            b = GatherND <batch_dims = 1> (down, ids)
            """);
    assertThat(ExpertGather.findAll(graph)).isEmpty();
  }

  @Test
  void leavesOtherIdsAlone() {
    Graph graph =
        graph(
            """
            a = Gather (up, ids)
            b = Gather (down, others)
            """);
    assertThat(ExpertGather.findAll(graph, "experts", "ids"))
        .extracting(ExpertGather::bank)
        .containsExactly("up");
  }
}
