package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FillTest {
  private static Graph graph(String expression) {
    return GraphText.parse(
        """
        g (float[N] x, int64[2] shape) => (float[...] y)
        <float one = {1}, float[3] twos = {2, 2, 2}, float[2] mixed = {1, 2}>
        {
          y = %s
        }
        """
            .formatted(expression));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Identity (twos)                                  | 2",
        "Expand (one, shape)                              | 1",
        "Cast <to = 7> (twos)                             | 2",
        "ConstantOfShape <value = int64[1] {1}> (shape)   | 1",
        "ConstantOfShape (shape)                          | 0",
      })
  void tellsTheNumberThatIsEverywhere(String expression, double number) {
    assertThat(Fill.of(graph(expression), "y")).contains(number);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Identity (mixed)", "Identity (x)", "Expand (x, shape)", "Neg (one)"})
  void tellsNothingOfAnythingElse(String expression) {
    assertThat(Fill.of(graph(expression), "y")).isEmpty();
  }
}
