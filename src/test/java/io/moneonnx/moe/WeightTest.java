package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WeightTest {
  private static Graph graph(String expression) {
    return GraphText.parse(
        """
        g (float[2, 3, 4] x) => (float[...] w)
        <float[2, 3, 4] bank, int64 first = {0}, int64[1] zero = {0}, int64[1] one = {1},
         int64[1] two = {2}, int64[1] last = {-1}, int64[1] all = {9223372036854775807},
         int64[2] both = {0, 1}>
        {
          turned = Transpose <perm = [0, 2, 1]> (bank)
          w = %s
        }
        """
            .formatted(expression));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Identity (bank)                        | [2, 3, 4]",
        "Cast <to = 10> (bank)                  | [2, 3, 4]",
        "Transpose (bank)                       | [4, 3, 2]",
        "Transpose <perm = [0, 2, 1]> (bank)    | [2, 4, 3]",
        "Transpose <perm = [1, 0, 2]> (turned)  | [4, 2, 3]",
      })
  void findsTheConstantAndTheShapeThatIsRead(String expression, String dims) {
    Weight weight = Weight.behind(graph(expression), "w").orElseThrow();

    assertThat(weight.dims()).hasToString(dims);
    assertThat(weight.tensor().dims()).containsExactly(2L, 3L, 4L);
  }

  @Test
  void namesTheInitializerBehindATranspose() {
    assertThat(Weight.behind(graph("Transpose (turned)"), "w").orElseThrow().initializer())
        .isEqualTo("bank");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"Neg (bank)", "Transpose (x)", "Add (bank, x)", "com.microsoft.Transpose (bank)"})
  void findsNoneBehindAnythingElse(String expression) {
    assertThat(Weight.behind(graph(expression), "w")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Gather (bank, first)                      | 0 | 0 | 1 | [3, 4]",
        "Gather <axis = 0> (bank, one)             | 0 | 1 | 2 | [1, 3, 4]",
        "Gather <axis = -2> (bank, one)            | 1 | 1 | 2 | [2, 1, 4]",
        "Slice (bank, one, two)                    | 0 | 1 | 2 | [1, 3, 4]",
        "Slice (bank, zero, one, zero, one)        | 0 | 0 | 1 | [1, 3, 4]",
        "Slice (bank, one, all, two)               | 2 | 1 | 4 | [2, 3, 3]",
        "Slice (bank, last, all, one)              | 1 | 2 | 3 | [2, 1, 4]",
      })
  void findsThePartOfAWeight(String expression, int axis, long from, long to, String dims) {
    Weight weight = Weight.behind(graph(expression), "w").orElseThrow();

    assertThat(weight.part()).contains(new Part.Range(axis, from, to));
    assertThat(weight.initializer()).isEqualTo("bank");
    assertThat(weight.dims()).hasToString(dims);
  }

  @Test
  void findsTheRowBehindSqueezeAndTranspose() {
    Graph graph =
        graph("Transpose (flat)")
            .toString()
            .transform(
                text ->
                    text.replace(
                        "  w =",
                        "  cut = Slice (bank, one, two, zero)\n  flat = Squeeze (cut, zero)\n  w ="))
            .transform(GraphText::parse);
    Weight weight = Weight.behind(graph, "w").orElseThrow();

    assertThat(weight.part()).contains(new Part.Range(0, 1, 2));
    assertThat(weight.dims()).containsExactly(4L, 3L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Slice (bank, zero, zero, zero)",
        "Slice (bank, zero, two, zero, two)",
        "Slice (bank, both, both, both)",
        "Slice (bank, one, two, all)",
        "Gather (bank, two)",
        "Gather (bank, both)",
        "Gather (x, one)"
      })
  void takesNothingElseForAPart(String expression) {
    assertThat(Weight.behind(graph(expression), "w")).isEmpty();
  }
}
