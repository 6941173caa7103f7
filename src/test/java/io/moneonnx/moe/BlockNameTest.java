package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BlockNameTest {
  @ParameterizedTest
  @CsvSource({
    "model.layers.3.mlp.gate.weight, val_7, model.layers.3.mlp",
    "onnx::MatMul_1466, /layers.1/mlp/gate/MatMul_output_0, layers.1.mlp",
    "onnx::MatMul_1466, val_7, indices",
    "router.weight, val_7, indices",
  })
  void comesFromThePathOfTheRouter(String router, String logits, String name) {
    Graph graph =
        GraphText.parse(
            """
            g (float[T, 4] x) => (float[T, 8] %2$s)
            <float[4, 8] %1$s>
            {
              %2$s = MatMul (x, %1$s)
            }
            """
                .formatted(router, logits));

    assertThat(
            BlockName.of(
                graph,
                new Routing(new Choice.Indices("indices", logits), 2, 8, 4, "x", router, "")))
        .isEqualTo(name);
  }
}
