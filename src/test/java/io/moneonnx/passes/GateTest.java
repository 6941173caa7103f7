package io.moneonnx.passes;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.CanonicalText;
import io.moneonnx.graph.Graph;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One expert's routing weights, and what they are multiplied with. */
class GateTest {
  /** A graph on the chosen {@code ids [T, 2]} of 4 experts and their {@code weights}. */
  private static Graph graph(String nodes) {
    return CanonicalText.parse(
        """
        gate (int64[T, 2] ids, float[T, 2] weights, float[T, 4] zeros, float[T, 8] out, int64 any)
            => (float[...] result)
        <int64 e2 = {2}, int64[1] two = {2}, int64[1] three = {3}, int64[1] zero = {0},
         int64[1] one = {1}, int64[1] last = {-1}, float none = {0}, float some = {1}>
        {
        %s
        }
        """
            .formatted(nodes));
  }

  private static final String MATRIX =
      "matrix = ScatterElements <axis = 1> (zeros, ids, weights)\n";

  @Test
  void slicesAColumn() {
    assertThat(GateColumn.findAll(graph(MATRIX + "gate = Slice (matrix, two, three, one, one)")))
        .singleElement()
        .satisfies(
            found -> {
              assertThat(found.matrix()).isEqualTo("matrix");
              assertThat(found.expert().tensor().toLongs()).containsExactly(2);
            });
  }

  @Test
  void slicesNoRow() {
    assertThat(GateColumn.findAll(graph(MATRIX + "gate = Slice (matrix, two, three, zero, one)")))
        .isEmpty();
  }

  @Test
  void gathersAColumn() {
    assertThat(GateColumn.findAll(graph(MATRIX + "gate = Gather <axis = 1> (matrix, e2)")))
        .singleElement()
        .isInstanceOf(GatheredGate.class);
  }

  @Test
  void gathersNoColumnThatTheGraphComputes() {
    assertThat(GateColumn.findAll(graph(MATRIX + "gate = Gather <axis = 1> (matrix, any)")))
        .isEmpty();
  }

  @Test
  void takesColumnsOfTokensInSeveralAxes() {
    for (String column :
        List.of(
            "gate = Gather <axis = 2> (matrix, e2)",
            "gate = Gather <axis = -1> (matrix, e2)",
            "gate = Slice (matrix, two, three, last, one)")) {
      assertThat(GateColumn.findAll(graph(MATRIX + column))).hasSize(1);
    }
  }

  private static final String SUM =
      """
      same = Equal (ids, e2)
      isChosen = Cast <to = 1> (same)
      kept = Mul (weights, isChosen)
      gate = ReduceSum (kept, last)
      """;

  @Test
  void sumsTheWeightsOfAnId() {
    assertThat(GateSum.findAll(graph(SUM)))
        .singleElement()
        .satisfies(
            found -> {
              assertThat(found.experts()).isEqualTo("ids");
              assertThat(found.weights()).isEqualTo("weights");
              assertThat(found.expert().tensor().toLongs()).containsExactly(2);
              assertThat(found.gate()).isEqualTo("gate");
            });
  }

  @Test
  void sumsTheWeightsThatAnIdLeaves() {
    String where =
        SUM.replace("kept = Mul (weights, isChosen)", "kept = Where (same, weights, none)");

    assertThat(GateSum.findAll(graph(where))).hasSize(1);
    assertThat(GateSum.findAll(graph(where.replace("none)", "some)")))).isEmpty();
  }

  @Test
  void sumsOverNoTokens() {
    assertThat(GateSum.findAll(graph(SUM.replace("(kept, last)", "(kept, zero)")))).isEmpty();
  }

  @Test
  void multipliesAnOutput() {
    String product = SUM + "wide = Unsqueeze (gate, last)\nresult = Mul (out, wide)";
    assertThat(GatedTerm.findAll(graph(product), "gates", "gate"))
        .singleElement()
        .satisfies(
            found -> {
              assertThat(found.outputs()).isEqualTo("out");
              assertThat(found.term()).isEqualTo("result");
            });
  }

  @Test
  void addsNoGate() {
    assertThat(GatedTerm.findAll(graph(SUM + "result = Add (out, gate)"), "gates", "gate"))
        .isEmpty();
  }
}
