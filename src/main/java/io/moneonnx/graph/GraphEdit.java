package io.moneonnx.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
  private final Map<String, Flat.Round> rounds;
  private final Map<String, Set<Integer>> leftOut = new LinkedHashMap<>();
  private final List<Node> added = new ArrayList<>();
  private final Map<String, Initializer> constants = new LinkedHashMap<>();
  private final List<Value> inputs = new ArrayList<>();
  private final List<Value> outputs = new ArrayList<>();
  private ValueTypes types;
  private ValueRanks ranks;

  public GraphEdit(Model model) {
    this.model = model;
    this.graph = model.graph();
    this.names = new HashSet<>(graph.names());
    this.rounds =
        graph.nodes().stream().anyMatch(node -> node.is("Loop"))
            ? Flat.of(graph).rounds()
            : Map.of();
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
    add(new Node(like.opType(), like.domain(), made, reads, List.of(made), all, Wire.NONE));
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

  public String constant(String hint, Tensor tensor) {
    String name = fresh(hint);
    Initializer constant = Initializer.of(name, tensor);
    constants.put(name, constant);
    if (types != null) {
      types.infer(constant);
    }
    return name;
  }

  /**
   * From now on the graph's own nodes and outputs read {@code by} where they read {@code value}. In
   * a loop that {@link Flat} unrolls, what is carried from round to round may be redirected too.
   */
  public void redirect(String value, String by) {
    if (value.equals(by)) {
      throw new IllegalArgumentException("'" + value + "' redirected to itself");
    }
    Flat.Round round = rounds.get(value);
    if (round != null
        && round.before().equals(by)
        && graph.producer(round.loop(), "Loop").isPresent()) {
      leftOut.computeIfAbsent(round.loop(), loop -> new HashSet<>()).add(round.number());
    } else {
      redirected.put(value, by);
    }
  }

  /**
   * A value that this edit is about, but that the graph does not have, if there is one: it lies in
   * the body of a node, and only {@link Flat} shows it.
   */
  public Optional<String> outOfReach() {
    Set<String> known = graph.made();
    known.addAll(constants.keySet());
    added.forEach(node -> known.addAll(node.outputs()));
    Stream<String> read =
        Stream.concat(added.stream(), replaced.values().stream())
            .flatMap(node -> node.reads().stream());
    return Stream.of(
            read,
            redirected.keySet().stream(),
            redirected.values().stream(),
            replaced.keySet().stream())
        .flatMap(values -> values)
        .filter(value -> !known.contains(value))
        .findFirst();
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
    leftOut.forEach(this::shorten);
    Map<String, String> renamed = keepOutputNames();
    List<Node> nodes = new ArrayList<>();
    for (Node node : graph.nodes()) {
      nodes.add(rename(replaced.getOrDefault(node.output(), node), renamed));
    }
    nodes.addAll(added);
    Map<String, Initializer> initializers = new LinkedHashMap<>(graph.initializers());
    initializers.putAll(constants);
    List<Value> allInputs = new ArrayList<>(graph.inputs());
    allInputs.addAll(inputs);
    List<Value> allOutputs = new ArrayList<>(graph.outputs());
    allOutputs.addAll(outputs);
    Graph changed =
        new Graph(
            graph.name(),
            inOrder(nodes),
            initializers,
            allInputs,
            allOutputs,
            Map.of(),
            graph.rest());
    return DeadCode.removeOpsets(model.withGraph(DeadCode.remove(withDeclared(changed))));
  }

  private void shorten(String output, Set<Integer> without) {
    RowLoop loop = RowLoop.of(graph, graph.producer(output).orElseThrow()).orElseThrow();
    List<Integer> kept =
        IntStream.range(0, loop.rounds()).filter(i -> !without.contains(i)).boxed().toList();
    replaced.put(output, loop.keeping(kept, this));
  }

  /** What was declared of values holds no longer for those that changed nodes lead to. */
  private Graph withDeclared(Graph changed) {
    Set<Node> unchanged = Collections.newSetFromMap(new IdentityHashMap<>());
    unchanged.addAll(graph.nodes());
    List<String> made =
        changed.nodes().stream()
            .filter(node -> !unchanged.contains(node))
            .flatMap(node -> node.outputs().stream())
            .filter(output -> !output.isEmpty())
            .toList();
    Map<String, Value> declared = new LinkedHashMap<>(graph.declared());
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
    return nested.withNodes(nodes);
  }

  /** Nodes so that each comes after what it reads, otherwise in the order given. */
  private static List<Node> inOrder(List<Node> nodes) {
    Map<String, Node> producers = new HashMap<>();
    nodes.forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
    Set<String> done = new HashSet<>();
    Set<String> open = new HashSet<>();
    List<Node> ordered = new ArrayList<>(nodes.size());
    Deque<Node> pending = new ArrayDeque<>();
    for (Node root : nodes) {
      pending.push(root);
      while (!pending.isEmpty()) {
        Node node = pending.peek();
        if (done.contains(node.output())) {
          pending.pop();
          continue;
        }
        List<Node> missing =
            node.reads().stream()
                .map(producers::get)
                .filter(producer -> producer != null && !done.contains(producer.output()))
                .toList();
        if (missing.isEmpty()) {
          done.add(node.output());
          ordered.add(node);
          pending.pop();
        } else if (open.add(node.output())) {
          missing.forEach(pending::push);
        } else {
          throw new IllegalStateException("the edited graph has a cycle at " + node.label());
        }
      }
    }
    return ordered;
  }
}
