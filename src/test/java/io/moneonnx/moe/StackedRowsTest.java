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

final class StackedRowsTest {
  private static final Graph GRAPH =
      GraphText.parse(
          """
          g (float[T, 2] x) => (float[T, 2] a, float[T, 2] b)
          <float[4, 2, 2] bank, int64 id = {1}, int64[1] from = {3}, int64[1] to = {4},
           int64[1] zero = {0}>
          {
            second = Gather (bank, id)
            last = Slice (bank, from, to, zero)
            fourth = Squeeze (last, zero)
            a = MatMul (x, second)
            b = MatMul (x, fourth)
          }
          """);

  private static Graph keeping(List<List<String>> regions) {
    GraphEdit edit = new GraphEdit(new Model(GRAPH, 8, Map.of("", 18L), Map.of(), Wire.NONE));
    StackedRows.keep(new Ops(edit, "m"), GRAPH, regions);
    return edit.apply().graph();
  }

  @Test
  void leavesTheRowsThatAreReadInTheirOrder() {
    Graph after = keeping(List.of(List.of("second", "a"), List.of("last", "fourth", "b")));

    assertThat(after.nodes())
        .hasToString(
            GraphText.parse(
                    """
            g (float[T, 2] x) => (float[T, 2] a, float[T, 2] b)
            <float[2, 2, 2] m/kept, int64 m/index = {0}, int64[1] m/ints = {1},
             int64[1] m/ints_1 = {2}, int64[1] zero = {0}>
            {
              second = Gather (m/kept, m/index)
              last = Slice (m/kept, m/ints, m/ints_1, zero)
              fourth = Squeeze (last, zero)
              a = MatMul (x, second)
              b = MatMul (x, fourth)
            }
            """)
                .nodes()
                .toString());
    assertThat(after.integers("m/index").orElseThrow()).containsExactly(0);
    assertThat(after.integers("m/ints").orElseThrow()).containsExactly(1);
    assertThat(after.integers("m/ints_1").orElseThrow()).containsExactly(2);
    assertThat(after.constant("m/kept").orElseThrow())
        .isEqualTo(GRAPH.constant("bank").orElseThrow().rows(List.of(1, 3)));
  }

  @Test
  void findsTheRowsBehindWhatTheExpertsCompute() {
    assertThat(keeping(List.of(List.of("a"), List.of("b"))).initializers())
        .doesNotContainKey("bank");
  }

  @Test
  void leavesTheBankToOthersThatReadIt() {
    assertThat(keeping(List.of(List.of("second", "a"))).initializers())
        .containsKeys("bank", "m/kept");
  }
}
