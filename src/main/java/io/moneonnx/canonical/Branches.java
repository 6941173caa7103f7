package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.UnknownFields;
import io.moneonnx.graph.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The branches of the only {@code If} of a graph, whose condition is an input: each as a model of
 * its own, and the way back. A merged decoder is such a graph.
 *
 * <pre>{@code
 * y = If <then_branch = { t = MatMul (x, w) }, else_branch = { e = Relu (x) }> (fed)
 *     =>  true:  t = MatMul (x, w)  y = Identity (t)
 *     =>  false: e = Relu (x)       y = Identity (e)
 * }</pre>
 */
public final class Branches {
  private final Model model;
  private final Node choice;

  private Branches(Model model, Node choice) {
    this.model = model;
    this.choice = choice;
  }

  /** Empty where there is no such {@code If}, or a value in it is called as one outside. */
  public static Optional<Branches> of(Model model) {
    Graph graph = model.graph();
    List<Node> choices = graph.nodes().stream().filter(node -> node.is("If")).toList();
    return choices.size() == 1
            && graph.feeds().stream().anyMatch(in -> in.name().equals(choices.get(0).input(0)))
            && choices.get(0).attributes().get(name(true)) instanceof Attribute.OfGraph
            && choices.get(0).attributes().get(name(false)) instanceof Attribute.OfGraph
        ? Optional.of(new Branches(model, choices.get(0))).filter(Branches::isApart)
        : Optional.empty();
  }

  private boolean isApart() {
    Set<String> outer = model.graph().made();
    outer.removeAll(choice.outputs());
    return Collections.disjoint(outer, body(true).made())
        && Collections.disjoint(outer, body(false).made());
  }

  private boolean isChoice(Node node) {
    return node.output().equals(choice.output());
  }

  /** What the branch that is taken where the condition is so is called. */
  public static String name(boolean condition) {
    return condition ? "then_branch" : "else_branch";
  }

  /** The input that decides. */
  public String condition() {
    return choice.input(0);
  }

  /** The names of all inputs of the model. */
  public List<String> inputs() {
    return model.graph().feeds().stream().map(Value::name).toList();
  }

  private Graph body(boolean condition) {
    return ((Attribute.OfGraph) choice.attributes().get(name(condition))).value();
  }

  /** The model in which this branch is always taken; inputs that it does not read are left out. */
  public Model taken(boolean condition) {
    Graph graph = model.graph();
    Graph body = body(condition);
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (isChoice(node)) {
        nodes.addAll(body.nodes());
        nodes.addAll(passedOn(body).values());
      } else {
        nodes.add(node);
      }
    }
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.putAll(body.initializers());
    Map<String, Value> declared = new LinkedHashMap<>(graph.declared());
    declared.putAll(body.declared());
    Graph taken =
        DeadCode.remove(
            new Graph(
                graph.name(),
                nodes,
                initializers,
                graph.inputs(),
                graph.outputs(),
                declared,
                graph.rest()));
    List<Value> read =
        taken.inputs().stream()
            .filter(in -> taken.isOutput(in.name()) || !taken.consumers(in.name()).isEmpty())
            .toList();
    return model.withGraph(
        new Graph(
            taken.name(),
            taken.nodes(),
            taken.initializers(),
            read,
            taken.outputs(),
            taken.declared(),
            taken.rest()));
  }

  /** By output what passes a branch's own value on to it, where both are not called alike. */
  private Map<String, Node> passedOn(Graph body) {
    Map<String, Node> passing = new LinkedHashMap<>();
    for (int i = 0; i < choice.outputs().size(); i++) {
      String own = body.outputs().get(i).name();
      String output = choice.outputs().get(i);
      if (!output.isEmpty() && !own.equals(output)) {
        passing.put(output, Node.of("Identity", List.of(own), List.of(output), Map.of()));
      }
    }
    return passing;
  }

  /**
   * The model with what was made of its branches; constants that both have are outside of them.
   *
   * @param whenTrue what was made of {@code taken (true)}, in the exporter's spelling
   * @param whenFalse likewise
   * @throws BadInputException if something outside of the branches would have to change
   */
  public Model joined(Model whenTrue, Model whenFalse) {
    Map<String, Initializer> shared = shared(whenTrue.graph(), whenFalse.graph());
    Node joined =
        choice
            .withAttribute(
                name(true), new Attribute.OfGraph(body(body(true), whenTrue.graph(), shared)))
            .withAttribute(
                name(false), new Attribute.OfGraph(body(body(false), whenFalse.graph(), shared)));
    Graph graph = model.graph();
    List<Node> nodes = graph.nodes().stream().map(node -> isChoice(node) ? joined : node).toList();
    Map<String, Long> opsets = new LinkedHashMap<>(model.opsets());
    whenTrue.opsets().forEach(opsets::putIfAbsent);
    whenFalse.opsets().forEach(opsets::putIfAbsent);
    return DeadCode.removeFunctions(
        new Model(
            DeadCode.remove(graph.with(nodes, shared)),
            model.irVersion(),
            opsets,
            whenTrue.metadata(),
            model.functions(),
            model.rest()));
  }

  /** The constants outside of the branches. */
  private Map<String, Initializer> shared(Graph whenTrue, Graph whenFalse) {
    Map<String, Initializer> shared = new LinkedHashMap<>(model.graph().initializers());
    for (Graph view : List.of(whenTrue, whenFalse)) {
      Graph other = view == whenTrue ? whenFalse : whenTrue;
      for (Initializer constant : view.initializers().values()) {
        String name = constant.name();
        Initializer twin = other.initializers().get(name);
        if (twin != null && twin.tensor().hasSameElements(constant.tensor())) {
          shared.put(name, constant);
        } else if (model.graph().initializers().containsKey(name)) {
          if (twin != null) {
            throw outside(name);
          }
          shared.put(name, constant);
        }
      }
    }
    return shared;
  }

  private Graph body(Graph before, Graph view, Map<String, Initializer> shared) {
    Graph outer = model.graph();
    Map<String, Node> passedOn = passedOn(before);
    Map<String, Value> outputs = new LinkedHashMap<>();
    for (int i = 0; i < choice.outputs().size(); i++) {
      Value own = before.outputs().get(i);
      outputs.put(
          choice.outputs().get(i),
          new Value(choice.outputs().get(i), own.type(), own.shape(), own.rest()));
    }
    List<Node> nodes = new ArrayList<>();
    for (Node node : view.nodes()) {
      Optional<Node> outside = outer.producer(node.output()).filter(made -> !isChoice(made));
      if (node.equals(passedOn.get(node.output()))) {
        outputs.put(node.output(), named(before, node.input(0)));
      } else if (outside.isEmpty()) {
        nodes.add(node);
      } else if (!outside.get().equals(node)) {
        throw outside(node.output());
      }
    }
    Map<String, Initializer> own = new LinkedHashMap<>(view.initializers());
    own.keySet().removeAll(shared.keySet());
    Set<String> made = new HashSet<>();
    nodes.forEach(node -> made.addAll(node.outputs()));
    Map<String, Value> declared = new LinkedHashMap<>(view.declared());
    declared.keySet().retainAll(made);
    return new Graph(
        before.name(),
        nodes,
        own,
        List.of(),
        choice.outputs().stream().map(outputs::get).toList(),
        declared,
        before.rest());
  }

  private static Value named(Graph body, String output) {
    return body.outputs().stream()
        .filter(value -> value.name().equals(output))
        .findFirst()
        .orElseGet(() -> new Value(output, Optional.empty(), Optional.empty(), UnknownFields.NONE));
  }

  private BadInputException outside(String value) {
    return new BadInputException(
        "'%s' is outside of the branches of %s, expected it to stay as it is"
            .formatted(value, choice.label()));
  }
}
