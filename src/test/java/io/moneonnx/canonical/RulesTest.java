package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RulesTest {
  private static Graph canonical(String nodes) {
    return Canonical.of(
            GraphText.parse(
                """
            g (int64[2] x) => (int64[2] y)
            <int64[4] four = {1, 2, 3, 4}, int64 three = {3}, int64[1] one = {1},
             int64[2] square = {2, -1}, int64[2] copied = {0, 2}, int64[3] wrong = {2, 2, 2},
             float[4] floats = {1, 2, 3, 4}, int64[1] axis = {0}>
            {
            %s
            }
            """
                    .formatted(nodes)))
        .graph();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          Constant <value = int64[2] {5, 6}> () | int64[2] {5, 6}
          Constant <value_int = 7> ()           | int64 {7}
          Constant <value_ints = [8, 9]> ()     | int64[2] {8, 9}
          Constant <value_float = 0.5> ()       | float {0.5}
          Reshape (four, square)                | int64[2, 2] {1, 2, 3, 4}
          Unsqueeze (three, axis)               | int64[1] {3}
          Squeeze (one, axis)                   | int64 {1}
          Squeeze (one)                         | int64 {1}
          """)
  void foldsSmallConstants(String expression, String constant) {
    Graph graph = canonical("c = " + expression + " y = Add (x, c)");
    Tensor wanted =
        ((Attribute.OfTensor)
                GraphText.parse("g () => () { c = Constant <value = " + constant + "> () }")
                    .nodes()
                    .get(0)
                    .attributes()
                    .get("value"))
            .value();

    assertThat(graph.nodes()).extracting(Node::output).containsExactly("y");
    assertThat(graph.constant("c")).contains(wanted);
    assertThat(graph.initializers()).containsKey("c");
  }

  @Test
  void foldsWhatIsFoldedFromFoldedConstants() {
    Graph graph =
        canonical(
            """
            a = Constant <value = int64 {2}> ()
            b = Unsqueeze (a, axis)
            c = Identity (b)
            y = Add (x, c)
            """);

    assertThat(graph.nodes()).extracting(GraphText::print).containsExactly("y = Add (x, b)");
    assertThat(graph.constant("b")).contains(Tensor.vector(2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Reshape (x, square)",
        "Reshape (four, copied)",
        "Reshape (four, wrong)",
        "Reshape (floats, square)",
        "Unsqueeze (one, axis)",
        "Squeeze (four, axis)",
        "Add (one, one)",
        "com.microsoft.Identity (one)",
      })
  void leavesEverythingElse(String expression) {
    assertThat(canonical("c = " + expression + " y = Add (x, c)").nodes())
        .extracting(Node::output)
        .containsExactly("c", "y");
  }

  @Test
  void leavesBigConstantsToTheirNodes() {
    Graph graph =
        Canonical.of(
                GraphText.parse(
                    """
                g () => (float[65] y)
                <int64[65] big = {%s}, int64[1] flat = {-1}>
                {
                  y = Reshape (big, flat)
                }
                """
                        .formatted("1, ".repeat(65))))
            .graph();

    assertThat(graph.nodes()).hasSize(1);
  }
}
