package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import org.junit.jupiter.api.Test;

class LinkTest {
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        link (float[T, 4] y0, float[n, 4] rows, int64[n] token) => (float[T, 4] y)
        <float[8, 4] zeros, int64[1] one = {1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  @Test
  void findsRowsSpreadAndAdded() {
    Graph graph =
        graph(
            """
            column = Unsqueeze (token, one)
            shape = Shape (rows)
            wide = Expand (column, shape)
            spread = ScatterElements <axis = 0> (zeros, wide, rows)
            y = Add (spread, y0)
            """);
    assertThat(Link.findAll(graph))
        .containsExactly(new ScatterElementsLink("y0", "token", "rows", "y"));
  }

  @Test
  void findsTheLinkThatGoesOnFromAValue() {
    Graph graph =
        graph(
            """
            y1 = ScatterND <reduction = "add"> (y0, token, rows)
            y = ScatterND <reduction = "add"> (y1, token, rows)
            """);
    assertThat(Link.findAll(graph, "previous", "y1"))
        .containsExactly(new ScatterNDLink("y1", "token", "rows", "y"));
    assertThat(Link.findAll(graph)).extracting(Link::previous).containsExactly("y0", "y1");
  }

  @Test
  void takesNoSpreadAlongTheRows() {
    Graph graph =
        graph(
            """
            spread = ScatterElements <axis = 1> (zeros, token, rows)
            y = Add (y0, spread)
            """);
    assertThat(Link.findAll(graph)).isEmpty();
  }

  @Test
  void takesNoOverwriteForAnAddition() {
    Graph graph = graph("y = ScatterND (y0, token, rows)");
    assertThat(Link.findAll(graph)).isEmpty();
  }
}
