package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Changes to an immutable graph, gathered and then applied at once: values redirected, nodes and
 * constants added, inputs and outputs declared. Nothing is deleted by name: what no output needs
 * any more is left to {@link DeadCode}.
 */
public final class GraphEdit {
  private final Model model;
  private final Graph graph;
  private final Set<String> names;
  private final Map<String, String> redirected = new HashMap<>();
  private final Map<String, Node> replaced = new HashMap<>();
  private final List<Node> added = new ArrayList<>();
  private final Map<String, Initializer> constants = new LinkedHashMap<>();
  private final List<Value> inputs = new ArrayList<>();
  private final List<Value> outputs = new ArrayList<>();
  private ValueTypes types;
  private ValueRanks ranks;

  public GraphEdit(Model model) {
    this(model, Set.of());
  }

  /**
   * An edit that gives none of these names either.
   *
   * @param taken names of values that the graph does not have
   */
  public GraphEdit(Model model, Set<String> taken) {
    this.model = model;
    this.graph = model.graph();
    this.names = new HashSet<>(graph.names());
    names.addAll(taken);
  }

  /** The graph as it was before this edit. */
  public Graph graph() {
    return graph;
  }

  public int opset() {
    return model.opset();
  }

  /** A name no value has yet, like {@code hint}. */
  public String fresh(String hint) {
    String name = hint;
    for (int i = 1; !names.add(name); i++) {
      name = hint + "_" + i;
    }
    return name;
  }

  /** Adds a node; its inputs are read as named here, not redirected. Returns its first output. */
  public String add(
      String operator, String hint, List<String> reads, Map<String, Attribute> attributes) {
    return add(operator, List.of(hint), reads, attributes).get(0);
  }

  /** Adds a node with an output for each hint, and returns their names. */
  public List<String> add(
      String operator, List<String> hints, List<String> reads, Map<String, Attribute> attributes) {
    List<String> made = hints.stream().map(this::fresh).toList();
    add(Node.of(operator, reads, made, attributes).withName(made.get(0)));
    return made;
  }

  /** Adds the operator of another node, with these attributes beside those it has there. */
  public String add(Node like, String hint, List<String> reads, Map<String, Attribute> attributes) {
    Map<String, Attribute> all = new LinkedHashMap<>(like.attributes());
    all.putAll(attributes);
    String made = fresh(hint);
    add(
        new Node(
            like.opType(), like.domain(), made, reads, List.of(made), all, UnknownFields.NONE));
    return made;
  }

  /** The nodes that {@code adding} adds, taken out again: those of a subgraph. */
  List<Node> apart(Runnable adding) {
    int before = added.size();
    adding.run();
    List<Node> last = added.subList(before, added.size());
    List<Node> apart = List.copyOf(last);
    last.clear();
    return apart;
  }

  private void add(Node node) {
    added.add(node);
    if (types != null) {
      types.infer(node);
    }
  }

  /** The element type of a value of the graph, or of one that was added, where it is known. */
  public Optional<ElementType> type(String value) {
    if (types == null) {
      types = new ValueTypes(graph);
      inputs.forEach(types::infer);
      constants.values().forEach(types::infer);
      added.forEach(types::infer);
    }
    return types.of(value);
  }

  /** How many dimensions a value of the graph has, where it is known. */
  public OptionalInt rank(String value) {
    if (ranks == null) {
      ranks = new ValueRanks(graph);
    }
    return ranks.of(value);
  }

  /** A constant of the graph, or one that was added. */
  public Optional<Tensor> constant(String value) {
    return Optional.ofNullable(constants.get(value))
        .map(Initializer::tensor)
        .or(() -> graph.constant(value));
  }

  /** Adds a constant, which leaves the heap if it is large, and returns its name. */
  public String constant(String hint, Tensor tensor) {
    String name = fresh(hint);
    Initializer constant = Initializer.of(name, tensor.offHeap());
    constants.put(name, constant);
    if (types != null) {
      types.infer(constant);
    }
    return name;
  }

  /**
   * From now on the graph's own nodes and outputs read {@code by} where they read {@code value}.
   */
  public void redirect(String value, String by) {
    if (value.equals(by)) {
      throw new IllegalArgumentException("'" + value + "' redirected to itself");
    }
    redirected.put(value, by);
  }

  /**
   * What the graph's own nodes read, after the redirections so far, where they read {@code value}.
   */
  public String current(String value) {
    String now = value;
    while (redirected.containsKey(now)) {
      now = redirected.get(now);
    }
    return now;
  }

  /** What a node of the graph reads as its input {@code index}, after the changes so far. */
  public String input(Node node, int index) {
    return current(replaced.getOrDefault(node.output(), node).input(index));
  }

  /** Lets one node of the graph read {@code value} as its input {@code index}. */
  public void setInput(Node node, int index, String value) {
    Node now = replaced.getOrDefault(node.output(), node);
    List<String> reads = new ArrayList<>(now.inputs());
    reads.set(index, value);
    replaced.put(node.output(), now.withInputs(reads));
  }

  /** Lets one node of the graph read these values, and nothing else. */
  public void setInputs(Node node, List<String> values) {
    replaced.put(node.output(), replaced.getOrDefault(node.output(), node).withInputs(values));
  }

  /** Gives one node of the graph this attribute. */
  public void setAttribute(Node node, String name, Attribute value) {
    replaced.put(
        node.output(), replaced.getOrDefault(node.output(), node).withAttribute(name, value));
  }

  public void addInput(Value value) {
    inputs.add(value);
    if (types != null) {
      types.infer(value);
    }
  }

  public void addOutput(Value value) {
    outputs.add(value);
  }

  /** The changed model, its nodes in topological order, without what has become unused. */
  public Model apply() {
    return edited().model();
  }

  /**
   * A model that was changed.
   *
   * @param images by identity what became of the graph's nodes that are still there and that no
   *     edit was about: the same nodes, but for values that were redirected
   */
  public record Edited(Model model, IdentityHashMap<Node, Node> images) {}

  /** The changed model, and what became of each of the graph's own nodes. */
  public Edited edited() {
    Map<String, String> renamed = keepOutputNames();
    IdentityHashMap<Node, Node> images = new IdentityHashMap<>(2 * graph.nodes().size());
    List<Node> nodes = new ArrayList<>(graph.nodes().size() + added.size());
    for (Node node : graph.nodes()) {
      Node image = rename(replaced.getOrDefault(node.output(), node), renamed);
      nodes.add(image);
      if (image.outputs().equals(node.outputs()) && !replaced.containsKey(node.output())) {
        images.put(node, image);
      }
    }
    nodes.addAll(added);
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.putAll(constants);
    List<Value> allInputs = new ArrayList<>(graph.inputs());
    allInputs.addAll(inputs);
    List<Value> allOutputs = new ArrayList<>(graph.outputs());
    allOutputs.addAll(outputs);
    List<Node> ordered =
        TopologicalOrder.of(nodes)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the edited graph has a cycle at "
                            + TopologicalOrder.cycle(nodes).label()));
    Graph changed =
        new Graph(
            graph.name(), ordered, initializers, allInputs, allOutputs, Map.of(), graph.rest());
    Graph live = DeadCode.remove(withDeclared(graph, changed));
    Set<Node> left = Collections.newSetFromMap(new IdentityHashMap<>());
    left.addAll(live.nodes());
    images.values().removeIf(image -> !left.contains(image));
    return new Edited(DeadCode.removeOpsets(model.withGraph(live)), images);
  }

  /** A node of the graph's kind, reading what its values were redirected to. */
  public Node redirected(Node node) {
    return rename(node, Map.of());
  }

  /** What {@code value} was redirected to first, if it was. */
  public Optional<String> redirection(String value) {
    return Optional.ofNullable(redirected.get(value));
  }

  /** What was declared of values holds no longer for those that changed nodes lead to. */
  private static Graph withDeclared(Graph before, Graph changed) {
    Set<Node> unchanged = Collections.newSetFromMap(new IdentityHashMap<>());
    unchanged.addAll(before.nodes());
    List<String> made =
        changed.nodes().stream()
            .filter(node -> !unchanged.contains(node))
            .flatMap(node -> node.outputs().stream())
            .filter(output -> !output.isEmpty())
            .toList();
    Map<String, Value> declared = new LinkedHashMap<>(before.declared());
    declared.keySet().removeAll(Reach.forward(changed, made, value -> false));
    return changed.withDeclared(declared);
  }

  /** Redirected graph outputs keep their names: what made them before gets another. */
  private Map<String, String> keepOutputNames() {
    Map<String, String> renamed = new HashMap<>();
    for (Value output : graph.outputs()) {
      if (redirected.containsKey(output.name())) {
        String before = fresh(output.name() + "_replaced");
        renamed.put(output.name(), before);
        String now = current(output.name());
        added.replaceAll(
            node ->
                node.withInputs(
                    node.inputs().stream()
                        .map(read -> read.equals(output.name()) ? before : read)
                        .toList()));
        added.add(Node.of("Identity", List.of(now), List.of(output.name()), Map.of()));
      }
    }
    return renamed;
  }

  private Node rename(Node node, Map<String, String> renamedOutputs) {
    if (redirected.isEmpty() && renamedOutputs.isEmpty()) {
      return node;
    }
    boolean makesRenamed = node.outputs().stream().anyMatch(renamedOutputs::containsKey);
    boolean readsRedirected = node.reads().stream().anyMatch(redirected::containsKey);
    if (!makesRenamed && !readsRedirected) {
      return node;
    }
    return node.withSubgraphs(this::renameCaptured)
        .withValues(
            node.inputs().stream().map(this::current).toList(),
            node.outputs().stream().map(o -> renamedOutputs.getOrDefault(o, o)).toList());
  }

  private Graph renameCaptured(Graph nested) {
    List<Node> nodes = nested.nodes().stream().map(node -> rename(node, Map.of())).toList();
    return withDeclared(nested, nested.withNodes(nodes));
  }
}
