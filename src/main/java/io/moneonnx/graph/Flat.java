package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The same computation with less control flow, to look for patterns in: an {@code If} that only
 * leaves out work which would change nothing is replaced by that work (see {@link Guard}), and a
 * {@code Loop} over the rows of stacked constants by its rounds (see {@link RowLoop}). All others
 * stay.
 *
 * <p>Values outside of these bodies keep their names. So what is found in the flat graph can be
 * edited in the original one, as long as it concerns such values: {@link GraphEdit} knows that to
 * read the value before a round where the value after it was read is to leave the round out.
 *
 * @param rounds of unrolled loops, by the name of the carried value after them
 */
public record Flat(Graph graph, Map<String, Round> rounds) {
  /**
   * One round of an unrolled loop.
   *
   * @param loop what the loop puts out
   * @param number from 0
   * @param before the carried value before this round
   */
  public record Round(String loop, int number, String before) {}

  public static Flat of(Graph graph) {
    Map<String, Round> rounds = new HashMap<>();
    Graph flat = graph;
    Optional<Graph> next = flatter(flat, rounds);
    while (next.isPresent()) {
      flat = next.get();
      next = flatter(flat, rounds);
    }
    return new Flat(flat == graph ? graph : DeadCode.remove(flat), Map.copyOf(rounds));
  }

  /** The model with its graph made flat. */
  public static Model of(Model model) {
    return model.withGraph(of(model.graph()).graph());
  }

  private static Optional<Graph> flatter(Graph graph, Map<String, Round> rounds) {
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
        : Optional.of(new Step(graph, guarded, loops).taken(rounds));
  }

  /** Puts the nodes of bodies in the place of the nodes that have them. */
  private static final class Step {
    private final Graph graph;
    private final Map<String, Graph> guarded;
    private final Map<String, RowLoop> loops;
    private final FreshNames names;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Initializer> initializers;

    Step(Graph graph, Map<String, Graph> guarded, Map<String, RowLoop> loops) {
      this.graph = graph;
      this.guarded = guarded;
      this.loops = loops;
      this.initializers = new LinkedHashMap<>(graph.initializers());
      List<Node> others = graph.nodes().stream().filter(node -> !isReplaced(node)).toList();
      this.names = new FreshNames(graph.withNodes(others).names());
      graph.nodes().stream()
          .filter(this::isReplaced)
          .forEach(node -> node.outputs().forEach(names::like));
    }

    private boolean isReplaced(Node node) {
      return guarded.containsKey(node.output()) || loops.containsKey(node.output());
    }

    Graph taken(Map<String, Round> rounds) {
      for (Node node : graph.nodes()) {
        if (guarded.containsKey(node.output())) {
          addWork(node, guarded.get(node.output()));
        } else if (loops.containsKey(node.output())) {
          rounds.putAll(addRounds(loops.get(node.output())));
        } else {
          nodes.add(node);
        }
      }
      return new Graph(
          graph.name(),
          nodes,
          initializers,
          graph.inputs(),
          graph.outputs(),
          graph.declared(),
          graph.rest());
    }

    private void addWork(Node node, Graph work) {
      Splice splice = new Splice(names::like, Map.of());
      initializers.putAll(splice.initializers(work));
      List<String> outputs = work.outputs().stream().map(Value::name).toList();
      nodes.addAll(splice.nodes(work.nodes(), outputs, node.outputs()));
    }

    private Map<String, Round> addRounds(RowLoop loop) {
      List<String> states = new ArrayList<>();
      nodes.addAll(loop.unrolled(names::like, this::constant, states));
      Map<String, Round> rounds = new HashMap<>();
      for (int i = 0; i < states.size(); i++) {
        String before = i == 0 ? loop.node().input(2) : states.get(i - 1);
        rounds.put(states.get(i), new Round(loop.node().output(), i, before));
      }
      return rounds;
    }

    private String constant(String hint, Tensor tensor) {
      String name = names.like(hint);
      initializers.put(name, Initializer.of(name, tensor));
      return name;
    }
  }
}
