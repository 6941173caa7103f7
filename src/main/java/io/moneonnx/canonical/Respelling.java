package io.moneonnx.canonical;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** One walk over a graph that brings every node to its canonical spelling. */
final class Respelling {
  private static final Map<String, List<Rule>> RULES = new HashMap<>();

  static {
    for (Rule rule : Rules.ALL) {
      for (String operator : rule.operators()) {
        RULES.computeIfAbsent(operator, key -> new ArrayList<>()).add(rule);
      }
    }
  }

  private final Graph graph;
  private final Functions functions;
  private final FreshNames names;
  private final RuleContext context;
  private final IdentityHashMap<Node, Integer> roots;
  private final List<Step> steps;
  private final List<Node> nodes = new ArrayList<>();

  /**
   * @param roots where the nodes come from that an earlier walk has made; takes those of new ones
   * @param steps takes what was done
   */
  Respelling(
      Graph graph, Functions functions, IdentityHashMap<Node, Integer> roots, List<Step> steps) {
    this.graph = graph;
    this.functions = functions;
    this.roots = roots;
    this.steps = steps;
    this.names = FreshNames.in(graph);
    steps.forEach(step -> names.take(step.before().outputs()));
    this.context = new RuleContext(graph, names);
  }

  /** The graph in its canonical spelling, the bodies that are left as they were. */
  Graph canonical() {
    Deque<Node> pending = new ArrayDeque<>();
    for (Node node : graph.nodes()) {
      int root = roots.get(node);
      pending.push(node);
      while (!pending.isEmpty()) {
        Node next = readingAliases(pending.pop(), root);
        Optional<Respelled> respelled = respelled(next);
        if (respelled.isPresent()) {
          take(next, respelled.get(), root);
          List<Node> after = respelled.get().nodes();
          IntStream.range(0, after.size())
              .forEach(i -> pending.push(after.get(after.size() - 1 - i)));
        } else {
          nodes.add(next);
          context.put(next);
        }
      }
    }
    return graph.with(nodes, context.constants());
  }

  private Optional<Respelled> respelled(Node node) {
    Optional<Respelled> inlined = functions.inlined(node, names);
    if (inlined.isPresent() || !node.domain().isEmpty()) {
      return inlined;
    }
    for (Rule rule : RULES.getOrDefault(node.opType(), List.of())) {
      Optional<Respelled> respelled = rule.apply(node, context);
      if (respelled.isPresent()) {
        return respelled.map(Respelled::named);
      }
    }
    return Optional.empty();
  }

  private void take(Node before, Respelled respelled, int root) {
    steps.add(new Step(before, respelled.nodes(), root, Optional.empty()));
    for (Node node : respelled.nodes()) {
      roots.put(node, root);
      node.subgraphs().forEach(body -> context.keepNames(body.captures()));
    }
    respelled.constants().forEach(context::put);
    respelled.aliases().forEach(context::putAlias);
  }

  private Node readingAliases(Node node, int root) {
    List<String> inputs = node.inputs().stream().map(context::alias).toList();
    if (inputs.equals(node.inputs())) {
      return node;
    }
    Node reading = node.withInputs(inputs);
    steps.add(new Step(node, List.of(reading), root, Optional.empty()));
    roots.put(reading, root);
    return reading;
  }
}
