package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import org.junit.jupiter.api.Test;

final class RoutingWeightSourceTest {
  private static final Graph GRAPH =
      GraphText.parse(
          """
          g (float[T, 2] best, int64[n] place) => (float[n, 1] column)
          <int64[1] last = {-1}, float two = {2}>
          {
            gates = Mul (best, two)
            half = Cast <to = 10> (gates)
            list = Reshape (half, last)
            picked = Gather (list, place)
            column = Unsqueeze (picked, last)
            strange = com.microsoft.Gather (list, place)
          }
          """);

  @Test
  void comeFromWhatIsNotMerelySelected() {
    assertThat(RoutingWeightSource.of(GRAPH, "column")).isEqualTo("gates");
    assertThat(RoutingWeightSource.of(GRAPH, "gates")).isEqualTo("gates");
    assertThat(RoutingWeightSource.of(GRAPH, "best")).isEqualTo("best");
  }

  @Test
  void comeFromWhatAnUnknownOperatorMakes() {
    assertThat(RoutingWeightSource.of(GRAPH, "strange")).isEqualTo("strange");
  }
}
