package io.moneonnx;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Graphs that are longer, or nested deeper, than a stack is deep. */
public final class DeepGraphs {
  private DeepGraphs() {}

  private static Graph graph(List<Node> nodes) {
    return new Graph(
        "deep",
        nodes,
        Map.of(),
        List.of(Value.undeclared("x")),
        List.of(Value.undeclared("y")),
        Map.of(),
        UnknownFields.NONE);
  }

  private static Node node(String operator, String from, String to) {
    return Node.of(
        operator,
        List.of(from),
        List.of(to),
        operator.equals("Cast") ? Map.of("to", Attribute.of(1)) : Map.of());
  }

  /** So many nodes of one operator in a row, and a {@code Neg}. */
  public static Model chain(String operator, int length) {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      nodes.add(node(operator, i == 0 ? "x" : "v" + i, "v" + (i + 1)));
    }
    nodes.add(node("Neg", "v" + length, "y"));
    return model(graph(nodes), List.of());
  }

  /** An {@code If} in each branch of an {@code If}, as deep as that. */
  public static Model branches(int depth) {
    Graph then = branch("t" + depth, node("Neg", "x", "t" + depth));
    for (int level = depth - 1; level >= 0; level--) {
      String output = level == 0 ? "y" : "t" + level;
      then = branch(output, choice(then, "e" + level, "x", output));
    }
    Node condition = Node.of("IsNaN", List.of("x"), List.of("c"), Map.of());
    return model(graph(List.of(condition, then.nodes().get(0))), List.of());
  }

  private static Node choice(Graph then, String otherwise, String from, String to) {
    return Node.of(
        "If",
        List.of("c"),
        List.of(to),
        Map.of(
            "then_branch", new Attribute.OfGraph(then),
            "else_branch", new Attribute.OfGraph(branch(otherwise, node("Abs", from, otherwise)))));
  }

  private static Graph branch(String output, Node node) {
    return new Graph(
        "branch",
        List.of(node),
        Map.of(),
        List.of(),
        List.of(Value.undeclared(output)),
        Map.of(),
        UnknownFields.NONE);
  }

  /** A call of a function that calls the next, as deep as that; the last one negates. */
  public static Model functions(int depth, int callsEach) {
    List<Function> functions = new ArrayList<>();
    for (int level = 0; level < depth; level++) {
      List<Node> body = new ArrayList<>();
      for (int i = 0; i < callsEach; i++) {
        String to = i == callsEach - 1 ? "b" : "m" + i;
        body.add(call("f" + (level + 1), i == 0 ? "a" : "m" + (i - 1), to));
      }
      functions.add(function("f" + level, body));
    }
    functions.add(function("f" + depth, List.of(node("Neg", "a", "b"))));
    return model(graph(List.of(call("f0", "x", "y"))), functions);
  }

  /** A call of a function with a call of the next in a branch, as deep as that. */
  public static Model branchingFunctions(int depth) {
    List<Function> functions = new ArrayList<>();
    for (int level = 0; level < depth; level++) {
      Node condition = Node.of("IsNaN", List.of("a"), List.of("c"), Map.of());
      Node choice = choice(branch("t", call("f" + (level + 1), "a", "t")), "e", "a", "b");
      functions.add(function("f" + level, List.of(condition, choice)));
    }
    functions.add(function("f" + depth, List.of(node("Neg", "a", "b"))));
    return model(graph(List.of(call("f0", "x", "y"))), functions);
  }

  /** The model with so many nodes before what {@code reader} reads of {@code value}. */
  public static Model before(
      Model model, String value, String reader, String operator, int length) {
    List<Node> nodes = new ArrayList<>();
    for (Node node : model.graph().nodes()) {
      if (!node.output().equals(reader)) {
        nodes.add(node);
        continue;
      }
      for (int i = 0; i < length; i++) {
        nodes.add(node(operator, i == 0 ? value : value + "/" + i, value + "/" + (i + 1)));
      }
      nodes.add(
          node.withInputs(
              node.inputs().stream()
                  .map(read -> read.equals(value) ? value + "/" + length : read)
                  .toList()));
    }
    return model.withGraph(model.graph().withNodes(nodes));
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
        Map.of("", 18L, "local", 1L),
        UnknownFields.NONE);
  }

  private static Node call(String function, String from, String to) {
    return new Node(
        function, "local", "", List.of(from), List.of(to), Map.of(), UnknownFields.NONE);
  }

  private static Model model(Graph graph, List<Function> functions) {
    return new Model(
        graph, 8, Map.of("", 18L, "local", 1L), Map.of(), functions, UnknownFields.NONE);
  }
}
