package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Wire;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Stacked weights of three experts. */
final class BankTest {
  private static Graph graph(String scale, String attributes) {
    return GraphText.parse(
        """
        g (float[T, 3] x) => (float[3, 2, 3] w)
        <int64[3, 2, 3] q = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, %s scale>
        {
          w = DequantizeLinear %s (q, scale)
        }
        """
            .formatted(scale, attributes));
  }

  private static String rows(Graph graph) {
    Model model = new Model(graph, 8, Map.of("", 21L), Map.of(), Wire.NONE);
    GraphEdit edit = new GraphEdit(model);
    edit.redirect("w", new Bank(graph, "w").rows(new Ops(edit, "cut"), List.of(0, 2)));
    return edit.apply().graph().toString();
  }

  @Test
  void isCutInWeightsAndScalesAlike() {
    Graph graph = graph("float[3]", "<axis = 0>");

    assertThat(new Bank(graph, "w").initializers()).containsExactlyInAnyOrder("q", "scale");
    assertThat(rows(graph)).contains("int64[2, 2, 3] cut/kept", "float[2] cut/kept_1");
  }

  @Test
  void isCutInScalesOfBlocks() {
    Graph graph = graph("float[3, 2, 1]", "<axis = 2, block_size = 3>");

    assertThat(rows(graph)).contains("int64[2, 2, 3] cut/kept", "float[2, 2, 1] cut/kept_1");
  }

  @Test
  void keepsScalesThatAllExpertsShare() {
    Graph graph = graph("float[3]", "<axis = 2>");

    assertThat(new Bank(graph, "w").initializers()).containsExactly("q");
    assertThat(rows(graph)).contains("int64[2, 2, 3] cut/kept", "float[3] scale");
  }

  @Test
  void isNotCutInBlocksOfSeveralExperts() {
    Graph graph = graph("float[1, 2, 3]", "<axis = 0, block_size = 3>");

    assertThat(new Bank(graph, "w").objection(3))
        .contains("'scale' [1, 2, 3], of the stacked weight 'w', has blocks of several experts");
  }
}
