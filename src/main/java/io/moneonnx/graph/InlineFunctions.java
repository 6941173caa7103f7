package io.moneonnx.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
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
 * Puts the nodes of a model's functions where they are called, also inside subgraphs and other
 * functions. What a call reads and makes keeps its name; the values in between get free ones.
 *
 * <pre>{@code
 * y = local.ffn <alpha = 2.0> (x, up)             t = MatMul (x, up)
 *                                         ->      y = Elu <alpha = 2.0> (t)
 * ffn <alpha> (a, w) => (b)
 * { t = MatMul (a, w)  b = Elu <alpha: @alpha> (t) }
 * }</pre>
 */
public final class InlineFunctions {
  private final Model model;
  private final FreshNames names;
  private final Map<String, Long> opsets;
  private final Deque<Function> open = new ArrayDeque<>();

  private InlineFunctions(Model model) {
    this.model = model;
    Set<String> taken = model.graph().names();
    model.graph().nodes().forEach(node -> taken.add(node.name()));
    this.names = new FreshNames(taken);
    this.opsets = new LinkedHashMap<>(model.opsets());
  }

  /**
   * The model without functions and without the operator sets that only they had.
   *
   * @throws BadInputException if a function calls itself, reads what nothing makes, or is written
   *     for another version of an operator set than the model
   */
  public static Model of(Model model) {
    return model.functions().isEmpty() ? model : new InlineFunctions(model).inlined();
  }

  private Model inlined() {
    Graph graph = inlined(model.graph());
    Model changed =
        new Model(graph, model.irVersion(), opsets, model.metadata(), List.of(), model.rest());
    return DeadCode.removeOpsets(changed);
  }

  private Graph inlined(Graph graph) {
    return graph.withNodes(inlined(graph.nodes()));
  }

  private List<Node> inlined(List<Node> nodes) {
    List<Node> flat = new ArrayList<>(nodes.size());
    for (Node node : nodes) {
      Optional<Function> function =
          model.functions().stream().filter(f -> f.isCalledBy(node)).findFirst();
      if (function.isPresent()) {
        flat.addAll(inlined(node, function.get()));
      } else {
        flat.add(node.withSubgraphs(this::inlined));
      }
    }
    return flat;
  }

  private List<Node> inlined(Node call, Function function) {
    if (open.contains(function)) {
      throw bad(function, "calls itself");
    }
    check(call, function);
    open.push(function);
    List<Node> body =
        new Splice(hint -> name(call, hint), given(call, function))
            .nodes(bound(function.nodes(), call, function), function.outputs(), call.outputs());
    List<Node> flat = inlined(body);
    open.pop();
    return flat;
  }

  private String name(Node call, String hint) {
    String prefix = call.name().isEmpty() ? call.output() : call.name();
    return names.like(prefix + "/" + hint);
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
