package io.moneonnx.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphText;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeOrderTest {
  private static Graph sorted(String text) {
    Model model =
        new Model(GraphText.parse(text), 8, Map.of("", 18L), Map.of(), UnknownFields.NONE);
    return NodeOrder.sorted(Path.of("a.onnx"), model).graph();
  }

  private static List<String> outputs(Graph graph) {
    return graph.nodes().stream().map(Node::output).toList();
  }

  @Test
  void putsANodeBehindWhatItReads() {
    assertThat(
            outputs(
                sorted(
                    "g (float x) => (float y) { y = Neg (b) a = Abs (x) b = Exp (a) c = Log (x) }")))
        .containsExactly("a", "b", "y", "c");
  }

  @Test
  void leavesAnOrderThatHolds() {
    assertThat(
            outputs(
                sorted(
                    "g (float x) => (float y) { c = Log (x) a = Abs (x) y = Neg (a) b = Exp (c) }")))
        .containsExactly("c", "a", "y", "b");
  }

  @Test
  void sortsBodiesToo() {
    Graph graph =
        sorted(
            """
            g (float x, bool c) => (float y)
            {
              y = If <then_branch = t () => (float p) { p = Neg (q) q = Abs (early) },
                      else_branch = e () => (float r) { r = Identity (x) }> (c)
              early = Exp (x)
            }
            """);
    assertThat(outputs(graph)).containsExactly("early", "y");
    assertThat(outputs(graph.nodes().get(1).subgraphs().get(0))).containsExactly("q", "p");
  }

  @Test
  void leavesAnOrderThatHoldsInBodies() {
    Graph graph =
        sorted(
            """
            g (float x, bool c, int64 rounds) => (float y, float z)
            {
              y = If <then_branch = t () => (float p) { s = Exp (x) q = Neg (x) p = Add (q, s) },
                      else_branch = e () => (float r) { r = Identity (x) }> (c)
              z = Loop <body = round (int64 i, bool more, float before)
                            => (bool on, float after) {
                    w = Abs (before) on = Identity (more) v = Neg (y) after = Add (v, w)
                  }> (rounds, , x)
            }
            """);

    assertThat(outputs(graph)).containsExactly("y", "z");
    assertThat(outputs(graph.nodes().get(0).subgraphs().get(0))).containsExactly("s", "q", "p");
    assertThat(outputs(graph.nodes().get(1).subgraphs().get(0)))
        .containsExactly("w", "on", "v", "after");
  }

  @Test
  void refusesACycleByTheNodeThatIsInIt() {
    assertThatThrownBy(
            () -> sorted("g (float x) => (float y) { y = Add (x, b) a = Neg (y) b = Abs (a) }"))
        .isInstanceOf(BadInputException.class)
        .hasMessageMatching("a.onnx: the graph has a cycle at node '(Add -> y|Neg -> a|Abs -> b)'");
  }

  @Test
  void namesACycleBehindANodeThatIsInNone() {
    assertThatThrownBy(
            () ->
                sorted(
                    "g (float x) => (float y) { y = Add (b, c) b = Neg (x) c = Exp (d) d = Abs (c) }"))
        .isInstanceOf(BadInputException.class)
        .hasMessageMatching("a.onnx: the graph has a cycle at node '(Exp -> c|Abs -> d)'");
  }

  @Test
  void refusesAValueThatNothingDefines() {
    assertThatThrownBy(() -> sorted("g (float x) => (float y) { y = Add (x, nowhere) }"))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "a.onnx: node 'Add -> y' uses 'nowhere', which no node, input or initializer defines");
  }
}
