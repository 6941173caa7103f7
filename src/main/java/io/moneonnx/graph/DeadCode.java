package io.moneonnx.graph;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Removes what no output needs: nodes, initializers, and what was declared of their values.
 *
 * <p>A graph's inputs stay, used or not: callers feed them by name. An initializer that an old file
 * lists among the inputs as well goes from both.
 */
public final class DeadCode {
  private DeadCode() {}

  public static Graph remove(Graph graph) {
    Set<String> live = liveValues(graph);
    List<Node> nodes =
        graph.nodes().stream()
            .filter(node -> node.outputs().stream().anyMatch(live::contains))
            .toList();
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.keySet().retainAll(live);
    List<Value> inputs =
        graph.inputs().stream()
            .filter(
                input ->
                    initializers.containsKey(input.name())
                        || !graph.initializers().containsKey(input.name()))
            .toList();
    Set<String> made = new HashSet<>();
    nodes.forEach(node -> made.addAll(node.outputs()));
    Map<String, Value> declared = new LinkedHashMap<>(graph.declared());
    declared.keySet().removeIf(name -> !made.contains(name));
    return new Graph(
        graph.name(), nodes, initializers, inputs, graph.outputs(), declared, graph.rest());
  }

  /** The model without the operator sets that no node is of; ONNX's own always stays. */
  public static Model removeOpsets(Model model) {
    Set<String> used = new HashSet<>(Set.of(""));
    addDomains(model.graph().nodes(), used);
    model.functions().forEach(function -> addDomains(function.nodes(), used));
    Map<String, Long> opsets = new LinkedHashMap<>(model.opsets());
    opsets.keySet().retainAll(used);
    return model.withOpsets(opsets);
  }

  /**
   * The model without the functions that nothing calls, and the operator sets that only they had.
   */
  public static Model removeFunctions(Model model) {
    Map<String, List<Function>> byName =
        model.functions().stream().collect(Collectors.groupingBy(Function::name));
    Set<Function> called = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Node> pending = new ArrayDeque<>(byName.isEmpty() ? List.of() : model.graph().nodes());
    while (!pending.isEmpty()) {
      Node node = pending.pop();
      node.subgraphs().forEach(body -> pending.addAll(body.nodes()));
      byName.getOrDefault(node.opType(), List.of()).stream()
          .filter(function -> function.isCalledBy(node) && called.add(function))
          .forEach(function -> pending.addAll(function.nodes()));
    }
    return removeOpsets(
        model.withFunctions(model.functions().stream().filter(called::contains).toList()));
  }

  private static void addDomains(List<Node> nodes, Set<String> domains) {
    for (Node node : nodes) {
      domains.add(node.domain());
      node.subgraphs().forEach(graph -> addDomains(graph.nodes(), domains));
    }
  }

  private static Set<String> liveValues(Graph graph) {
    Set<String> live = new HashSet<>();
    Deque<String> pending = new ArrayDeque<>();
    graph.outputs().forEach(output -> pending.add(output.name()));
    while (!pending.isEmpty()) {
      String value = pending.pop();
      if (live.add(value)) {
        graph.producer(value).ifPresent(node -> pending.addAll(node.reads()));
      }
    }
    return live;
  }
}
