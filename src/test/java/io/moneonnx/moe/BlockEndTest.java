package io.moneonnx.moe;

import static org.assertj.core.api.Assertions.assertThat;

import io.moneonnx.TinyMoe.Spelling;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import org.junit.jupiter.api.Test;

final class BlockEndTest {
  private static final String BLOCK =
      Spelling.TORCHSCRIPT
          .of(3, 2, 4)
          .text()
          .replace("float[T, 4] x)", "float[T, 4] stream)")
          .replace("{\n  logits", "{\n  x = Tanh (stream)\n  logits")
          .replace("y = Add (x, routed)", "y = Add (stream, routed)");

  private static BlockEnd of(Graph graph) {
    Routing routing = new RoutingFinder(graph).findAll().get(0);
    assertThat(routing.input()).isEqualTo("x");
    return new BlockEnd(graph, new NeutralValues(graph), routing);
  }

  @Test
  void isTheSumWithWhatIsOlderThanTheRoutersInput() {
    assertThat(of(GraphText.parse(BLOCK)).isAt("y")).isTrue();
  }

  @Test
  void isNoSumOfExperts() {
    assertThat(of(GraphText.parse(BLOCK)).isAt("routed")).isFalse();
  }

  @Test
  void isNoSumThatBeginsWithZerosHoweverOldTheyAre() {
    String old =
        BLOCK
            .replace("  shape = Shape (x)\n", "")
            .replace("{\n  x =", "{\n  shape = Shape (stream)\n  x =")
            .replace("  zeros = ConstantOfShape <value = float[1] {0}> (shape)\n", "")
            .replace(
                "  x = Tanh",
                "  zeros = ConstantOfShape <value = float[1] {0}> (shape)\n  x = Tanh")
            .replace("Add (routed0, ", "Add (zeros, ");

    assertThat(of(GraphText.parse(old)).isAt("routed1")).isFalse();
  }
}
