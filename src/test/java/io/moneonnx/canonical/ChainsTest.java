package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.DeepGraphs;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Node;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Chains of any length take as much stack as short ones. */
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class ChainsTest {
  @ParameterizedTest
  @ValueSource(strings = {"Abs", "Cast", "Relu", "Softmax"})
  void manyElementwiseNodes(String operator) {
    assertThat(Canonical.of(DeepGraphs.chain(operator, 20_000)).graph().nodes()).hasSize(20_001);
  }

  @Test
  void branchesInBranches() {
    Canonical canonical = Canonical.of(DeepGraphs.branches(500));

    assertThat(canonical.graph().nodes()).extracting(Node::opType).containsExactly("IsNaN", "If");
    assertThat(canonical.spelled(new GraphEdit(canonical.model())).graph().nodes()).hasSize(2);
  }

  @Test
  void manyIdentities() {
    Canonical canonical = Canonical.of(DeepGraphs.chain("Identity", 1_000));

    assertThat(canonical.graph().nodes()).hasSize(1);
    assertThat(canonical.spelled(new GraphEdit(canonical.model())).graph().nodes()).hasSize(1_001);
  }

  @Test
  void manyTransposesOfOneValue() {
    assertThat(Canonical.of(DeepGraphs.chain("Transpose", 1_000)).graph().nodes()).hasSize(1_001);
  }

  @Test
  void functionsInFunctionsInFunctions() {
    Canonical canonical = Canonical.of(DeepGraphs.functions(3_000, 1));

    assertThat(canonical.graph().nodes()).extracting(Node::opType).containsExactly("Neg");
    assertThat(canonical.spelled(new GraphEdit(canonical.model())).functions()).hasSize(3_001);
  }

  @Test
  void functionsThatDoubleAreRefused() {
    assertThatThrownBy(() -> Canonical.of(DeepGraphs.functions(30, 2)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(
            "stand for 3,221,225,470 nodes where they are called; expected at most 500,000");
    assertThatThrownBy(() -> Canonical.of(DeepGraphs.functions(3_000, 2)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("stand for countless nodes");
  }
}
