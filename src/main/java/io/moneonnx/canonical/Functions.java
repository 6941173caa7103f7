package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.Function;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The operators that a model brings along. Calls are spelled as the nodes of the function, also
 * inside subgraphs and other functions. What a call reads and makes keeps its name; the values in
 * between get free ones.
 *
 * <pre>{@code
 * y = local.ffn <alpha = 2.0> (x, up)             t = MatMul (x, up)
 *                                         ->      y = Elu <alpha = 2.0> (t)
 * ffn <alpha> (a, w) => (b)
 * { t = MatMul (a, w)  b = Elu <alpha: @alpha> (t) }
 * }</pre>
 */
final class Functions {
  /** So many nodes are the most that all calls of a model may stand for. */
  static final int MOST_NODES = 500_000;

  /** So deep may calls in subgraphs nest them; no runtime reads a file that does. */
  static final int MOST_DEPTH = 100;

  private final Map<Key, Function> functions = new HashMap<>();
  private final Map<Key, Size> sizes = new HashMap<>();
  private final Map<String, Long> opsets;

  /** How nodes call a function. */
  private record Key(String domain, String name, String overload) {
    static Key of(Node node) {
      return new Key(node.domain(), node.opType(), node.overload());
    }
  }

  /**
   * A call of a function.
   *
   * @param depth how many subgraphs it is in
   */
  private record Call(Key key, int depth) {}

  /**
   * What calls stand for.
   *
   * @param depth how many subgraphs the last of the nodes are in, the callers' among them
   */
  private record Size(long nodes, int depth) {
    Size plus(Size callee, int depthOfCall) {
      long all = nodes > Long.MAX_VALUE - callee.nodes ? Long.MAX_VALUE : nodes + callee.nodes;
      return new Size(all, Math.max(depth, depthOfCall + callee.depth));
    }
  }

  /**
   * The functions of a model.
   *
   * @throws BadInputException if one that is called calls itself, or if the calls stand for more
   *     than {@link #MOST_NODES} nodes or for subgraphs nested deeper than {@link #MOST_DEPTH}
   */
  Functions(Model model) {
    this.opsets = new LinkedHashMap<>(model.opsets());
    for (Function function : model.functions()) {
      functions.putIfAbsent(
          new Key(function.domain(), function.name(), function.overload()), function);
    }
    if (!functions.isEmpty()) {
      checkSize(model.graph());
    }
  }

  /** The operator sets of the model and of the functions that were put in place of calls. */
  Map<String, Long> opsets() {
    return opsets;
  }

  private void checkSize(Graph graph) {
    List<Call> calls = calls(graph.nodes(), 0);
    calls.forEach(call -> measure(call.key()));
    Size all = size(0, calls);
    if (all.nodes() > MOST_NODES) {
      throw new BadInputException(
          "the model's functions stand for %s nodes where they are called; expected at most %,d"
              .formatted(
                  all.nodes() == Long.MAX_VALUE ? "countless" : "%,d".formatted(all.nodes()),
                  MOST_NODES));
    } else if (all.depth() > MOST_DEPTH) {
      throw new BadInputException(
          "the model's functions stand for subgraphs nested %,d deep; expected at most %,d"
              .formatted(all.depth(), MOST_DEPTH));
    }
  }

  /** What nodes stand for that call functions which are measured already. */
  private Size size(long nodes, List<Call> calls) {
    Size size = new Size(nodes, 0);
    for (Call call : calls) {
      size = size.plus(sizes.get(call.key()), call.depth());
    }
    return size;
  }

  /** The calls among nodes, those in subgraphs too. */
  private List<Call> calls(List<Node> nodes, int depth) {
    List<Call> found = new ArrayList<>();
    for (Node node : nodes) {
      if (functions.containsKey(Key.of(node))) {
        found.add(new Call(Key.of(node), depth));
      }
      node.subgraphs().forEach(body -> found.addAll(calls(body.nodes(), depth + 1)));
    }
    return found;
  }

  /** Counts the nodes that a call stands for, and those of all functions below. */
  private void measure(Key root) {
    Set<Key> open = new HashSet<>();
    Deque<Key> pending = new ArrayDeque<>(List.of(root));
    while (!pending.isEmpty()) {
      Key key = pending.peek();
      List<Call> below = calls(functions.get(key).nodes(), 0);
      List<Key> unknown =
          below.stream().map(Call::key).filter(callee -> !sizes.containsKey(callee)).toList();
      if (sizes.containsKey(key)) {
        pending.pop();
      } else if (unknown.isEmpty()) {
        sizes.put(key, size(functions.get(key).nodes().size(), below));
        pending.pop();
      } else if (open.add(key)) {
        unknown.forEach(pending::push);
      } else {
        throw bad(functions.get(key), "calls itself");
      }
    }
  }

  /**
   * What stands in place of a call, or of a node with calls in its subgraphs; empty for all others.
   *
   * @throws BadInputException if the function reads what nothing makes, or is written for another
   *     version of an operator set than the model
   */
  Optional<Respelled> inlined(Node node, FreshNames names) {
    if (functions.isEmpty()) {
      return Optional.empty();
    }
    Function function = functions.get(Key.of(node));
    if (function != null) {
      return Optional.of(Respelled.as(body(node, function, names)));
    }
    boolean calls = node.subgraphs().stream().anyMatch(body -> !calls(body.nodes(), 0).isEmpty());
    return calls
        ? Optional.of(Respelled.as(node.withSubgraphs(body -> inlined(body, names))))
        : Optional.empty();
  }

  private Graph inlined(Graph graph, FreshNames names) {
    List<Node> flat = new ArrayList<>(graph.nodes().size());
    Deque<Node> pending = new ArrayDeque<>(graph.nodes());
    while (!pending.isEmpty()) {
      Node node = pending.pop();
      Optional<Respelled> inlined = inlined(node, names);
      if (inlined.isEmpty() || !functions.containsKey(Key.of(node))) {
        flat.add(inlined.map(respelled -> respelled.nodes().get(0)).orElse(node));
      } else {
        List<Node> body = new ArrayList<>(inlined.get().nodes());
        Collections.reverse(body);
        body.forEach(pending::push);
      }
    }
    return graph.withNodes(flat);
  }

  private List<Node> body(Node call, Function function, FreshNames names) {
    check(call, function);
    String prefix = call.name().isEmpty() ? call.output() : call.name();
    return new Splice(hint -> names.like(prefix + "/" + hint), given(call, function))
        .nodes(bound(function.nodes(), call, function), function.outputs(), call.outputs());
  }

  private void check(Node call, Function function) {
    if (call.inputs().size() > function.inputs().size()
        || call.outputs().size() > function.outputs().size()) {
      throw bad(
          function,
          "takes %d values and makes %d; %s gives it %d and wants %d"
              .formatted(
                  function.inputs().size(),
                  function.outputs().size(),
                  call.label(),
                  call.inputs().size(),
                  call.outputs().size()));
    }
    Set<String> known = new HashSet<>(function.inputs());
    for (Node node : function.nodes()) {
      Optional<String> unknown = node.reads().stream().filter(r -> !known.contains(r)).findFirst();
      if (unknown.isPresent()) {
        throw bad(function, "reads '%s', which nothing before makes".formatted(unknown.get()));
      }
      known.addAll(node.outputs());
      importOperators(node, function);
    }
    Set<String> missing = new HashSet<>(function.outputs());
    missing.removeAll(known);
    if (!missing.isEmpty()) {
      throw bad(function, "does not make its outputs " + missing);
    }
  }

  private void importOperators(Node node, Function function) {
    Long version = function.opsets().get(node.domain());
    Long present = version == null ? null : opsets.putIfAbsent(node.domain(), version);
    if (present != null && !present.equals(version)) {
      throw bad(
          function,
          "is written for version %d of %s, the model for version %d: they cannot be put together"
              .formatted(version, node.domain().isEmpty() ? "ai.onnx" : node.domain(), present));
    }
    node.subgraphs()
        .forEach(graph -> graph.nodes().forEach(inner -> importOperators(inner, function)));
  }

  private static Map<String, String> given(Node call, Function function) {
    Map<String, String> given = new HashMap<>();
    for (int i = 0; i < function.inputs().size(); i++) {
      given.put(function.inputs().get(i), call.input(i));
    }
    return given;
  }

  /** The nodes with what this call gives, or the default, in place of references. */
  private List<Node> bound(List<Node> nodes, Node call, Function function) {
    return nodes.stream()
        .map(node -> node.withSubgraphs(g -> g.withNodes(bound(g.nodes(), call, function))))
        .map(node -> bound(node, call, function))
        .toList();
  }

  private static Node bound(Node node, Node call, Function function) {
    Map<String, Attribute> attributes = new LinkedHashMap<>(node.attributes());
    attributes.replaceAll(
        (name, attribute) ->
            attribute instanceof Attribute.Reference reference
                ? call.attributes()
                    .getOrDefault(reference.outer(), function.defaults().get(reference.outer()))
                : attribute);
    attributes.values().removeIf(Objects::isNull);
    return node.withAttributes(attributes);
  }

  private static BadInputException bad(Function function, String found) {
    return new BadInputException("function '%s' %s".formatted(function.label(), found));
  }
}
