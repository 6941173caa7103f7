package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts bodies in the place of the nodes that have them: an {@code If} that only leaves out work
 * which would change nothing is replaced by that work (see {@link Guard}), and a {@code Loop} over
 * the rows of stacked constants by its rounds (see {@link RowLoop}). All others stay.
 *
 * <p>Values outside of these bodies keep their names.
 */
final class Unfolding {
  private final Graph graph;
  private final Map<String, Graph> guarded;
  private final Map<String, RowLoop> loops;
  private final IdentityHashMap<Node, Integer> roots;
  private final List<Step> steps;
  private final FreshNames names;
  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Initializer> initializers;

  private Unfolding(
      Graph graph,
      Map<String, Graph> guarded,
      Map<String, RowLoop> loops,
      IdentityHashMap<Node, Integer> roots,
      List<Step> steps) {
    this.graph = graph;
    this.guarded = guarded;
    this.loops = loops;
    this.roots = roots;
    this.steps = steps;
    this.initializers = new LinkedHashMap<>(graph.initializers());
    List<Node> others = graph.nodes().stream().filter(node -> !isReplaced(node)).toList();
    this.names = new FreshNames(graph.withNodes(others).names());
    steps.forEach(step -> names.take(step.before().outputs()));
    graph.nodes().stream()
        .filter(this::isReplaced)
        .forEach(node -> node.outputs().forEach(names::like));
  }

  /**
   * The graph with one layer of bodies unfolded; empty if there is none that can be.
   *
   * @param roots where nodes come from; takes those of new ones
   * @param steps takes what was done
   */
  static Optional<Graph> of(Graph graph, IdentityHashMap<Node, Integer> roots, List<Step> steps) {
    List<Node> bodied = graph.nodes().stream().filter(node -> !node.subgraphs().isEmpty()).toList();
    if (bodied.isEmpty()) {
      return Optional.empty();
    }
    Guard guard = new Guard(graph);
    Map<String, Graph> guarded = new HashMap<>();
    Map<String, RowLoop> loops = new HashMap<>();
    for (Node node : bodied) {
      guard.work(node).ifPresent(work -> guarded.put(node.output(), work));
      RowLoop.of(graph, node).ifPresent(loop -> loops.put(node.output(), loop));
    }
    return guarded.isEmpty() && loops.isEmpty()
        ? Optional.empty()
        : Optional.of(new Unfolding(graph, guarded, loops, roots, steps).unfolded());
  }

  private boolean isReplaced(Node node) {
    return guarded.containsKey(node.output()) || loops.containsKey(node.output());
  }

  private Graph unfolded() {
    for (Node node : graph.nodes()) {
      if (guarded.containsKey(node.output())) {
        add(node, work(node, guarded.get(node.output())), Optional.empty());
      } else if (loops.containsKey(node.output())) {
        RowLoop loop = loops.get(node.output());
        List<String> states = new ArrayList<>();
        List<Node> rounds = loop.unrolled(names::like, this::constant, states);
        add(node, rounds, Optional.of(new Step.Rounds(loop, states)));
      } else {
        nodes.add(node);
      }
    }
    return graph.with(nodes, initializers);
  }

  private void add(Node before, List<Node> after, Optional<Step.Rounds> rounds) {
    int root = roots.get(before);
    steps.add(new Step(before, after, root, rounds));
    after.forEach(node -> roots.put(node, root));
    nodes.addAll(after);
  }

  private List<Node> work(Node node, Graph work) {
    Splice splice = new Splice(names::like, Map.of());
    initializers.putAll(splice.initializers(work));
    List<String> outputs = work.outputs().stream().map(Value::name).toList();
    return splice.nodes(work.nodes(), outputs, node.outputs());
  }

  private String constant(String hint, Tensor tensor) {
    String name = names.like(hint);
    initializers.put(name, Initializer.of(name, tensor));
    return name;
  }
}
