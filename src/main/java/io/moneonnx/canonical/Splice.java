package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A copy of a body (of a function, of a branch, of a loop) for another graph. What the body is
 * given is read under the caller's names, what it makes gets names that are free, and what it
 * captures keeps its own.
 */
final class Splice {
  private final UnaryOperator<String> fresh;
  private final Map<String, String> names;

  /**
   * @param fresh a free name like the one that a value or a node has in the body
   * @param given for inputs of the body the values that they stand for, {@code ""} if left out
   */
  Splice(UnaryOperator<String> fresh, Map<String, String> given) {
    this.fresh = fresh;
    this.names = new HashMap<>(given);
  }

  /** What the body calls {@code value}, where it has been copied to. */
  String name(String value) {
    return names.getOrDefault(value, value);
  }

  /**
   * The body's nodes.
   *
   * @param outputs what the body puts out
   * @param as the names that these are to have, {@code ""} or missing if nothing reads them
   */
  List<Node> nodes(List<Node> body, List<String> outputs, List<String> as) {
    Set<String> made = new HashSet<>();
    body.forEach(node -> made.addAll(node.outputs()));
    List<Node> passedOn = new ArrayList<>();
    for (int i = 0; i < as.size(); i++) {
      String output = outputs.get(i);
      if (!as.get(i).isEmpty() && made.remove(output)) {
        names.put(output, as.get(i));
      } else if (!as.get(i).isEmpty()) {
        passedOn.add(Node.of("Identity", List.of(output), List.of(as.get(i)), Map.of()));
      }
    }
    List<Node> copied = new ArrayList<>(copy(body));
    passedOn.forEach(
        node -> copied.add(node.withInputs(node.inputs().stream().map(this::name).toList())));
    return copied;
  }

  /** The body's own initializers. */
  Map<String, Initializer> initializers(Graph body) {
    Map<String, Initializer> copied = new LinkedHashMap<>();
    for (Initializer initializer : body.initializers().values()) {
      String name = make(initializer.name());
      copied.put(name, new Initializer(name, initializer.tensor(), initializer.rest()));
    }
    return copied;
  }

  private List<Node> copy(List<Node> body) {
    List<Node> copied = new ArrayList<>(body.size());
    for (Node node : body) {
      List<String> inputs = node.inputs().stream().map(this::name).toList();
      Node inside = node.withSubgraphs(this::nested);
      List<String> outputs = node.outputs().stream().map(this::make).toList();
      Node copy = inside.withValues(inputs, outputs);
      copied.add(node.name().isEmpty() ? copy : copy.withName(fresh.apply(node.name())));
    }
    return copied;
  }

  private Graph nested(Graph graph) {
    Splice inside = new Splice(fresh, names);
    inside.names.keySet().removeAll(graph.made());
    List<Value> inputs =
        graph.inputs().stream().map(input -> renamed(input, inside.make(input.name()))).toList();
    Map<String, Initializer> initializers = inside.initializers(graph);
    List<Node> nodes = inside.copy(graph.nodes());
    List<Value> outputs =
        graph.outputs().stream()
            .map(output -> renamed(output, inside.name(output.name())))
            .toList();
    return new Graph(graph.name(), nodes, initializers, inputs, outputs, Map.of(), graph.rest());
  }

  private static Value renamed(Value value, String name) {
    return new Value(name, value.type(), value.shape(), value.rest());
  }

  private String make(String value) {
    return value.isEmpty() ? "" : names.computeIfAbsent(value, fresh);
  }
}
