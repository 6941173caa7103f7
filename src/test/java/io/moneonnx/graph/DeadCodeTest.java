package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class DeadCodeTest {
  @Test
  void removesWhatNoOutputNeeds() {
    Graph graph =
        DeadCode.remove(
            GraphText.parse(
                """
                g (float[2] x, float[2] unused) => (float[2] y)
                <float[2] used = {1, 2}, float[2] idle = {3, 4}>
                {
                  a = Add (x, used)
                  b = Add (x, idle)
                  c = Neg (b)
                  y = Abs (a)
                }
                """));

    assertThat(graph)
        .hasToString(
            """
            g (float[2] x, float[2] unused) => (float[2] y)
            <float[2] used = {1.0, 2.0}>
            {
              a = Add (x, used)
              y = Abs (a)
            }
            """);
  }

  @Test
  void removesInitializersOfOldFilesFromTheInputsToo() {
    Graph graph =
        DeadCode.remove(
            GraphText.parse(
                """
                g (float[2] x, float[2] used, float[2] idle) => (float[2] y)
                <float[2] used = {1, 2}, float[2] idle = {3, 4}>
                {
                  y = Add (x, used)
                }
                """));

    assertThat(graph.inputs()).extracting(Value::name).containsExactly("x", "used");
    assertThat(graph.feeds()).extracting(Value::name).containsExactly("x");
  }

  @Test
  void keepsNodesOfWhichALaterOutputIsNeeded() {
    Graph graph =
        DeadCode.remove(
            GraphText.parse(
                """
                g (float[4] x) => (int64[2] e)
                <int64[1] k = {2}>
                {
                  "", ids = TopK (x, k)
                  "", others = TopK <largest = 0> (x, k)
                  e = Identity (ids)
                }
                """));

    assertThat(graph.nodes()).extracting(Node::output).containsExactly("ids", "e");
  }

  @Test
  void forgetsWhatWasDeclaredOfWhatIsGone() {
    Value a = Value.of("a", ElementType.FLOAT);
    Value b = Value.of("b", ElementType.FLOAT);
    Graph graph =
        GraphText.parse("g (float x) => (float y) { a = Abs (x) b = Neg (x) y = Exp (a) }")
            .withDeclared(Map.of("a", a, "b", b));

    assertThat(DeadCode.remove(graph).declared()).containsExactly(Map.entry("a", a));
  }
}
