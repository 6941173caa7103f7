package io.moneonnx.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class GraphEditTest {
  private static final String LINE =
      """
      line (float[4] x) => (float[4] y)
      {
        a = Abs (x)
        b = Neg (a)
        c = Exp (b)
        y = Sqrt (c)
      }
      """;

  private static GraphEdit edit(String text) {
    return edit(GraphText.parse(text));
  }

  private static GraphEdit edit(Graph graph) {
    return new GraphEdit(new Model(graph, 8, Map.of("", 18L), Map.of(), UnknownFields.NONE));
  }

  private static String nodes(GraphEdit edit) {
    StringBuilder text = new StringBuilder();
    edit.apply().graph().nodes().forEach(node -> text.append(GraphText.print(node)).append('\n'));
    return text.toString();
  }

  @Test
  void leavesAGraphAloneThatNothingIsChangedIn() {
    assertThat(edit(LINE).apply().graph().toString()).isEqualTo(LINE);
  }

  @Test
  void letsReadersReadAnotherValue() {
    GraphEdit edit = edit(LINE);
    edit.redirect("b", "a");

    assertThat(nodes(edit))
        .isEqualTo(
            """
            a = Abs (x)
            c = Exp (a)
            y = Sqrt (c)
            """);
  }

  @Test
  void followsChainsOfRedirections() {
    GraphEdit edit = edit(LINE);
    edit.redirect("c", "b");
    edit.redirect("b", "a");

    assertThat(edit.current("c")).isEqualTo("a");
    assertThat(nodes(edit))
        .isEqualTo(
            """
            a = Abs (x)
            y = Sqrt (a)
            """);
  }

  @Test
  void refusesToRedirectAValueToItself() {
    assertThatThrownBy(() -> edit(LINE).redirect("b", "b")).hasMessage("'b' redirected to itself");
  }

  @Test
  void letsAddedNodesReadWhatIsRedirected() {
    GraphEdit edit = edit(LINE);
    edit.redirect("b", edit.add("Relu", "new", List.of("b"), Map.of()));

    assertThat(nodes(edit))
        .isEqualTo(
            """
            a = Abs (x)
            b = Neg (a)
            new = Relu (b)
            c = Exp (new)
            y = Sqrt (c)
            """);
  }

  @Test
  void keepsTheNamesOfOutputs() {
    GraphEdit edit = edit(LINE);
    edit.redirect("y", edit.add("Relu", "new", List.of("y"), Map.of()));

    assertThat(edit.apply().graph().outputs()).extracting(Value::name).containsExactly("y");
    assertThat(nodes(edit(LINE))).contains("y = Sqrt (c)");
    assertThat(nodes(redirectedOutput()))
        .isEqualTo(
            """
            a = Abs (x)
            b = Neg (a)
            c = Exp (b)
            y_replaced = Sqrt (c)
            new = Relu (y_replaced)
            y = Identity (new)
            """);
  }

  private static GraphEdit redirectedOutput() {
    GraphEdit edit = edit(LINE);
    edit.redirect("y", edit.add("Relu", "new", List.of("y"), Map.of()));
    return edit;
  }

  @Test
  void keepsTheNamesOfOutputsThatOthersRead() {
    GraphEdit edit =
        edit(
            """
            g (float x) => (float a, float b)
            {
              a = Abs (x)
              b = Neg (a)
            }
            """);
    edit.redirect("a", "x");

    assertThat(nodes(edit))
        .isEqualTo(
            """
            b = Neg (x)
            a = Identity (x)
            """);
  }

  @Test
  void redirectsWhatSubgraphsCapture() {
    GraphEdit edit =
        edit(
            """
            g (float x, bool go) => (float y)
            {
              a = Abs (x)
              b = Neg (a)
              y = If <then_branch = then () => (float t)
                  {
                    t = If <then_branch = deep () => (float u)
                        {
                          u = Exp (b)
                        }, else_branch = flat () => (float v)
                        {
                          v = Sqrt (a)
                        }> (go)
                  }, else_branch = other () => (float o)
                  {
                    o = Identity (b)
                  }> (go)
            }
            """);
    edit.redirect("b", edit.add("Relu", "new", List.of("b"), Map.of()));

    assertThat(edit.apply().graph().producer("y").orElseThrow().reads())
        .containsExactlyInAnyOrder("new", "a", "go");
    assertThat(nodes(edit)).contains("u = Exp (new)", "v = Sqrt (a)", "o = Identity (new)");
  }

  @Test
  void dropsWhatSubgraphsDeclaredOfValuesBehindOtherConstants() {
    Graph graph =
        GraphText.parse(
            """
            g (float[4] x, bool go) => (float[4] y) <float[4] w>
            {
              y = If <then_branch = then () => (float[...] t)
                  {
                    a = Abs (x)
                    b = Mul (a, w)
                    t = Exp (b)
                  }, else_branch = other () => (float[...] o)
                  {
                    o = Identity (x)
                  }> (go)
            }
            """);
    Map<String, Value> declared =
        Map.of(
            "a", Value.of("a", ElementType.FLOAT, Dimension.of(4)),
            "b", Value.of("b", ElementType.FLOAT, Dimension.of(4)));
    GraphEdit edit =
        edit(
            graph.withNodes(
                graph.nodes().stream()
                    .map(node -> node.withSubgraphs(body -> body.withDeclared(declared)))
                    .toList()));
    edit.redirect("w", edit.constant("cut", Tensor.of(List.of(1L), 1f)));

    assertThat(edit.apply().graph().nodes().get(0).subgraphs())
        .anySatisfy(body -> assertThat(body.declared()).containsOnlyKeys("a"));
  }

  @Test
  void keepsWhatOnlyASubgraphCaptures() {
    GraphEdit edit =
        edit(
            """
            g (bool go) => (float y)
            <float one = {1}, float two = {2}>
            {
              y = If <then_branch = then () => (float t) { t = Identity (one) },
                      else_branch = other () => (float o) { o = Identity (one) }> (go)
            }
            """);

    assertThat(edit.apply().graph().initializers()).containsOnlyKeys("one");
  }

  @Test
  void putsNodesBehindWhatTheyRead() {
    GraphEdit edit = edit(LINE);
    edit.redirect("a", edit.add("Relu", "last", List.of(edit.fresh("first")), Map.of()));
    assertThat(edit.apply().graph().nodes())
        .extracting(Node::output)
        .containsExactly("last", "b", "c", "y");
  }

  @Test
  void saysWhereACycleIs() {
    GraphEdit edit = edit(LINE);
    edit.redirect("a", edit.add("Relu", "new", List.of("c"), Map.of()));

    assertThatThrownBy(edit::apply)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("the edited graph has a cycle at ");
  }

  @Test
  void changesOneInputOfOneNode() {
    GraphEdit edit =
        edit(
            """
            g (float a, float b) => (float y, float z)
            {
              y = Add (a, a)
              z = Add (a, a)
            }
            """);
    edit.setInput(edit.graph().producer("y").orElseThrow(), 1, "b");

    assertThat(nodes(edit))
        .isEqualTo(
            """
            y = Add (a, b)
            z = Add (a, a)
            """);
  }

  @Test
  void changesSeveralInputsOfANode() {
    GraphEdit edit = edit("g (float a, float b, float c) => (float y) { y = Add (a, a) }");
    Node node = edit.graph().producer("y").orElseThrow();
    edit.setInput(node, 0, "b");
    edit.setInput(node, 1, "c");

    assertThat(nodes(edit)).isEqualTo("y = Add (b, c)\n");
  }

  @Test
  void dropsWhatWasDeclaredOfValuesBehindNewOnes() {
    Graph graph =
        GraphText.parse(LINE)
            .withDeclared(
                Map.of(
                    "a", Value.of("a", ElementType.FLOAT, Dimension.of(4)),
                    "b", Value.of("b", ElementType.FLOAT, Dimension.of(4)),
                    "c", Value.of("c", ElementType.FLOAT, Dimension.of(4))));
    GraphEdit edit = edit(graph);
    edit.redirect("b", edit.add("Relu", "new", List.of("a"), Map.of()));

    assertThat(edit.apply().graph().declared()).containsOnlyKeys("a");
  }

  @Test
  void dropsWhatWasDeclaredOfValuesBehindOtherConstants() {
    Graph graph =
        GraphText.parse(
                "g (float[4] a) => (float[4] y) <float[4] w> { b = Add (a, w) y = Neg (b) }")
            .withDeclared(Map.of("b", Value.of("b", ElementType.FLOAT, Dimension.of(4))));
    GraphEdit edit = edit(graph);
    Node node = edit.graph().producer("b").orElseThrow();
    edit.setInput(node, 1, edit.constant("cut", Tensor.of(List.of(1L), 1f)));

    assertThat(edit.apply().graph().declared()).isEmpty();
  }

  @Test
  void namesNothingTwice() {
    GraphEdit edit =
        edit(
            """
            g (bool go) => (float y)
            <float hint = {1}>
            {
              y = If <then_branch = then () => (float hint_1) { hint_1 = Identity (hint) },
                      else_branch = other () => (float o) { o = Identity (hint) }> (go)
            }
            """);

    assertThat(edit.fresh("hint")).isEqualTo("hint_2");
    assertThat(edit.fresh("hint")).isEqualTo("hint_3");
    assertThat(edit.fresh("new")).isEqualTo("new");
  }

  @Test
  void addsInputsOutputsAndConstants() {
    GraphEdit edit = edit(LINE);
    edit.addInput(Value.of("mask", ElementType.FLOAT, Dimension.of(4)));
    String two = edit.constant("two", Tensor.scalar(2f));
    String masked = edit.add("Mul", "masked", List.of("b", "mask"), Map.of());
    String doubled = edit.add("Mul", "doubled", List.of(masked, two), Map.of());
    edit.addOutput(Value.of(doubled, ElementType.FLOAT, Dimension.of(4)));
    Graph graph = edit.apply().graph();

    assertThat(graph.inputs()).extracting(Value::name).containsExactly("x", "mask");
    assertThat(graph.outputs()).extracting(Value::name).containsExactly("y", "doubled");
    assertThat(graph.constant("two")).contains(Tensor.scalar(2f));
  }

  @Test
  void leavesTheGraphItCameFromAsItWas() {
    Graph before = GraphText.parse(LINE);
    GraphEdit edit = edit(before);
    edit.redirect("b", "a");
    edit.apply();

    assertThat(before.toString()).isEqualTo(LINE);
    assertThat(edit.graph()).isSameAs(before);
  }
}
