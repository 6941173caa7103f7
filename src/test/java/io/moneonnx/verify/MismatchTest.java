package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MismatchTest {
  private static final Graph GRAPH = graph("float[T, 4] x", "float[T, 4] y");

  private static Graph graph(String inputs, String outputs) {
    return GraphText.parse("g (%s) => (%s)\n{\n  y = Identity (x)\n}\n".formatted(inputs, outputs));
  }

  @Test
  void isNoneWhereAllThatBothDeclareAgrees() {
    assertThat(Mismatch.find(GRAPH, GRAPH)).isEmpty();
    assertThat(Mismatch.find(GRAPH, graph("float[N, 4] x", "float[N, M] y"))).isEmpty();
    assertThat(Mismatch.find(GRAPH, graph("float[...] x", "float[...] y"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "float[T, 4] z | float[T, 4] y | only the first has the input 'x'",
        "float[T, 4] x, bool go | float[T, 4] y | only the second has the input 'go'",
        "float[T, 4] x | float[T, 4] x | only the first has the output 'y'",
        "float16[T, 4] x | float[T, 4] y | input 'x' is float[T, 4] in the first, float16[T, 4] in the second",
        "float[T, 4] x | float[1, T, 4] y | output 'y' is float[T, 4] in the first, float[1, T, 4] in the second",
        "float[T, 4] x | float[T, 5] y | output 'y' is float[T, 4] in the first, float[T, 5] in the second",
      })
  void isNamed(String inputs, String outputs, String wanted) {
    assertThat(Mismatch.find(GRAPH, graph(inputs, outputs))).contains(wanted);
  }
}
