package io.moneonnx.canonical;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Chains of any length take as much stack as short ones. */
class ChainsTest {
  private static Graph chain(String operator, int length) {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      nodes.add(Node.of(operator, List.of(name(i)), List.of(name(i + 1)), Map.of()));
    }
    nodes.add(Node.of("Neg", List.of(name(length)), List.of("y"), Map.of()));
    return new Graph(
        "chain",
        nodes,
        Map.of(),
        List.of(Value.undeclared("v0")),
        List.of(Value.undeclared("y")),
        Map.of(),
        UnknownFields.NONE);
  }

  private static String name(int i) {
    return "v" + i;
  }

  private static Function function(String name, List<Node> nodes) {
    return new Function(
        "local",
        name,
        "",
        List.of("a"),
        List.of("b"),
        List.of(),
        Map.of(),
        nodes,
        Map.of(),
        UnknownFields.NONE);
  }

  private static Node call(String function, String from, String to) {
    return new Node(
        function, "local", "", List.of(from), List.of(to), Map.of(), UnknownFields.NONE);
  }

  /** A call of a function that calls the next, as deep as that; the last one negates. */
  private static Model nested(int depth, int callsEach) {
    List<Function> functions = new ArrayList<>();
    for (int level = 0; level < depth; level++) {
      List<Node> body = new ArrayList<>();
      for (int i = 0; i < callsEach; i++) {
        String to = i == callsEach - 1 ? "b" : "m" + i;
        body.add(call("f" + (level + 1), i == 0 ? "a" : "m" + (i - 1), to));
      }
      functions.add(function("f" + level, body));
    }
    functions.add(
        function("f" + depth, List.of(Node.of("Neg", List.of("a"), List.of("b"), Map.of()))));
    Graph graph =
        new Graph(
            "nested",
            List.of(call("f0", "x", "y")),
            Map.of(),
            List.of(Value.undeclared("x")),
            List.of(Value.undeclared("y")),
            Map.of(),
            UnknownFields.NONE);
    return new Model(
        graph, 8, Map.of("", 18L, "local", 1L), Map.of(), functions, UnknownFields.NONE);
  }

  @Test
  void manyElementwiseNodes() {
    assertThat(Canonical.of(chain("Abs", 20_000)).graph().nodes()).hasSize(20_001);
  }

  @Test
  void manyIdentities() {
    Canonical canonical = Canonical.of(chain("Identity", 1_000));

    assertThat(canonical.graph().nodes()).hasSize(1);
    assertThat(canonical.spelled(new GraphEdit(canonical.model())).graph().nodes()).hasSize(1_001);
  }

  @Test
  void manyTransposesOfOneValue() {
    assertThat(Canonical.of(chain("Transpose", 1_000)).graph().nodes()).hasSize(1_001);
  }

  @Test
  void functionsInFunctionsInFunctions() {
    Canonical canonical = Canonical.of(nested(3_000, 1));

    assertThat(canonical.graph().nodes()).extracting(Node::opType).containsExactly("Neg");
    assertThat(canonical.spelled(new GraphEdit(canonical.model())).functions()).hasSize(3_001);
  }

  @Test
  void functionsThatDoubleAreRefused() {
    assertThatThrownBy(() -> Canonical.of(nested(30, 2)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining(
            "stand for 3,221,225,470 nodes where they are called; expected at most 500,000");
    assertThatThrownBy(() -> Canonical.of(nested(3_000, 2)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("stand for countless nodes");
  }
}
