package io.moneonnx.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.run.RunOptions;
import io.moneonnx.run.RuntimeFailureException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code y} cannot be computed: {@code h} has no third row. */
class ProofRunsTest {
  private static final Model MODEL =
      new Model(
          GraphText.parse(
              """
              g (float[2, 2] x) => (float[2] y)
              <int64 third = {2}>
              {
                h = Relu (x)
                y = Gather <axis = 0> (h, third)
              }
              """),
          8,
          Map.of("", 17L),
          Map.of(),
          UnknownFields.NONE);

  private static final Map<String, Tensor> FEED =
      Map.of("x", Tensor.of(List.of(2L, 2L), 1f, -2, 3, -4));

  private final ProofRuns runs = new ProofRuns(MODEL, Path.of("."), RunOptions.cpu());

  @Test
  void runsOnlyWhatLeadsToTheValues() {
    List<Map<String, Tensor>> values = runs.values(List.of("h", "x"), List.of(FEED));

    assertThat(values).hasSize(1);
    assertThat(values.get(0)).containsOnlyKeys("h", "x");
    assertThat(values.get(0).get("h").toFloats()).containsExactly(1, 0, 3, 0);
    assertThatThrownBy(() -> runs.values(List.of("y"), List.of(FEED)))
        .isInstanceOf(RuntimeFailureException.class);
  }

  @Test
  void runsNothingForInputs() {
    assertThat(runs.values(List.of("x"), List.of(FEED))).containsExactly(FEED);
  }
}
