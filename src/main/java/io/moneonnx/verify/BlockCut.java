package io.moneonnx.verify;

import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * One block cut out of a model as a small graph: from the block's input and its routing to its
 * routed output. What the block reads beside these and constants (sizes of the batch, say) becomes
 * an input too.
 *
 * @param inputs names of the values at the border, those that were asked for first
 * @param output name of the routed output
 */
record BlockCut(Model whole, List<String> inputs, String output) {
  static BlockCut of(Model model, List<String> from, String output) {
    return of(model, from, output, value -> true);
  }

  /**
   * A block cut out of a model that was changed.
   *
   * @param isGiven true for values and constants that the model had before and that others may
   *     read; whatever makes or reads another one is inside
   */
  static BlockCut of(Model model, List<String> from, String output, Predicate<String> isGiven) {
    Graph graph = model.graph();
    Set<String> before = Reach.backward(graph, List.of(output), from::contains);
    from.forEach(before::remove);
    Set<String> inside = new HashSet<>(from);
    Set<String> read = new LinkedHashSet<>(from);
    for (Node node : graph.nodes()) {
      boolean leadsToOutput = node.outputs().stream().anyMatch(before::contains);
      boolean readsOutside =
          node.reads().stream()
              .anyMatch(value -> !inside.contains(value) && graph.constant(value).isEmpty());
      boolean readsInside = node.reads().stream().anyMatch(inside::contains);
      boolean isNew =
          node.outputs().stream().noneMatch(isGiven)
              || node.reads().stream()
                  .anyMatch(value -> graph.constant(value).isPresent() && !isGiven.test(value));
      if (leadsToOutput && (readsInside || !readsOutside || isNew)) {
        inside.addAll(node.outputs());
        read.addAll(node.reads());
      }
    }
    read.removeIf(
        value ->
            !from.contains(value) && (inside.contains(value) || graph.constant(value).isPresent()));
    return new BlockCut(model, List.copyOf(read), output);
  }

  /** The cut as a model of its own; the border values have these types. */
  Model model(Map<String, ElementType> types, Value declared) {
    Graph graph = whole.graph();
    Set<String> border = Set.copyOf(inputs);
    Set<String> needed = Reach.backward(graph, List.of(output), border::contains);
    List<Node> nodes =
        graph.nodes().stream()
            .filter(
                node ->
                    node.outputs().stream()
                        .anyMatch(o -> needed.contains(o) && !border.contains(o)))
            .map(node -> withoutOutputs(node, border))
            .toList();
    return whole.withGraph(
        DeadCode.remove(
            new Graph(
                "block",
                nodes,
                graph.initializers(),
                inputs.stream().map(name -> Value.untyped(name, types.get(name))).toList(),
                List.of(declared),
                Map.of(),
                UnknownFields.NONE)));
  }

  /** The node under other names for those of its outputs that are given from outside. */
  private static Node withoutOutputs(Node node, Set<String> given) {
    List<String> outputs =
        node.outputs().stream().map(o -> given.contains(o) ? o + "/not-given" : o).toList();
    return node.withValues(node.inputs(), outputs);
  }
}
