package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An immutable dataflow graph: nodes in topological order, values by name, each made once. The
 * def-use chains are built when they are first asked for.
 */
public final class Graph {
  private final String name;
  private final List<Node> nodes;
  private final Map<String, Initializer> initializers;
  private final List<Value> inputs;
  private final List<Value> outputs;
  private final Map<String, Value> declared;
  private final UnknownFields rest;

  private Map<String, Node> producers;
  private Map<String, Integer> positions;
  private Map<String, List<Node>> consumers;
  private Set<String> outputNames;

  public Graph(
      String name,
      List<Node> nodes,
      Map<String, Initializer> initializers,
      List<Value> inputs,
      List<Value> outputs,
      Map<String, Value> declared,
      UnknownFields rest) {
    this.name = name;
    this.nodes = List.copyOf(nodes);
    this.initializers = Collections.unmodifiableMap(new LinkedHashMap<>(initializers));
    this.inputs = List.copyOf(inputs);
    this.outputs = List.copyOf(outputs);
    this.declared = Collections.unmodifiableMap(new LinkedHashMap<>(declared));
    this.rest = rest;
  }

  public String name() {
    return name;
  }

  public List<Node> nodes() {
    return nodes;
  }

  public Map<String, Initializer> initializers() {
    return initializers;
  }

  /** The graph's inputs as the file lists them; old files list initializers here too. */
  public List<Value> inputs() {
    return inputs;
  }

  public List<Value> outputs() {
    return outputs;
  }

  /** What the file says of intermediate values ({@code value_info}): hints at best. */
  public Map<String, Value> declared() {
    return declared;
  }

  public UnknownFields rest() {
    return rest;
  }

  /** The node that makes {@code value}; empty for inputs, initializers and captured values. */
  public Optional<Node> producer(String value) {
    if (producers == null) {
      producers = indexProducers();
    }
    return Optional.ofNullable(producers.get(value));
  }

  /** The node that makes {@code value}, if it applies this operator of ONNX's own domain. */
  public Optional<Node> producer(String value, String operator) {
    return producer(value).filter(node -> node.is(operator));
  }

  /** Where in graph order {@code value} is made, from 0; -1 for what no node makes. */
  public int position(String value) {
    if (positions == null) {
      positions = indexPositions();
    }
    return positions.getOrDefault(value, -1);
  }

  /** The nodes that read {@code value}, themselves or in a subgraph, each once, in graph order. */
  public List<Node> consumers(String value) {
    if (consumers == null) {
      consumers = indexConsumers();
    }
    return consumers.getOrDefault(value, List.of());
  }

  public boolean isOutput(String value) {
    if (outputNames == null) {
      Set<String> names = new HashSet<>();
      outputs.forEach(output -> names.add(output.name()));
      outputNames = names;
    }
    return outputNames.contains(value);
  }

  /** The inputs that must be fed: those that no initializer gives a value. */
  public List<Value> feeds() {
    return inputs.stream().filter(input -> !initializers.containsKey(input.name())).toList();
  }

  /**
   * The constant behind {@code value}: an initializer, a {@code Constant}, or an {@code Identity}
   * of one.
   */
  public Optional<Tensor> constant(String value) {
    Initializer initializer = initializers.get(value);
    if (initializer != null) {
      return Optional.of(initializer.tensor());
    }
    return producer(value).flatMap(this::constantMadeBy);
  }

  private Optional<Tensor> constantMadeBy(Node node) {
    return node.is("Identity")
        ? constant(node.input(0))
        : Optional.of(node).filter(made -> made.is("Constant")).flatMap(Graph::tensorOf);
  }

  /**
   * What a {@code Constant} makes, or a {@code ConstantOfShape} fills its output with, however its
   * attribute spells it.
   */
  public static Optional<Tensor> tensorOf(Node node) {
    return node.attributes().values().stream().findFirst().flatMap(Graph::tensorOf);
  }

  private static Optional<Tensor> tensorOf(Attribute attribute) {
    Tensor tensor = null;
    if (attribute instanceof Attribute.OfTensor given) {
      tensor = given.value();
    } else if (attribute instanceof Attribute.OfInt number) {
      tensor = Tensor.scalar(number.value());
    } else if (attribute instanceof Attribute.OfFloat number) {
      tensor = Tensor.scalar(number.value());
    } else if (attribute instanceof Attribute.OfInts numbers) {
      tensor = Tensor.vector(numbers.values().stream().mapToLong(Long::longValue).toArray());
    } else if (attribute instanceof Attribute.OfFloats numbers) {
      float[] values = new float[numbers.values().size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = numbers.values().get(i);
      }
      tensor = Tensor.of(List.of((long) values.length), values);
    } else if (attribute instanceof Attribute.OfText text) {
      tensor = Tensor.strings(List.of(), List.of(text.value()));
    } else if (attribute instanceof Attribute.OfTexts texts) {
      tensor = Tensor.strings(List.of((long) texts.values().size()), texts.values());
    }
    return Optional.ofNullable(tensor);
  }

  /** The elements of a constant of an integer type, in order; empty if {@code value} is none. */
  public Optional<long[]> integers(String value) {
    return constant(value).flatMap(Tensor::integers);
  }

  /** True for a constant that is this one integer. */
  public boolean isNumber(String value, long number) {
    return constant(value).filter(tensor -> tensor.isNumber(number)).isPresent();
  }

  /** Every tensor in the graph: initializers and constants of nodes, subgraphs included. */
  public Stream<Tensor> tensors() {
    return Stream.concat(
        initializers.values().stream().map(Initializer::tensor),
        nodes.stream().flatMap(Node::tensors));
  }

  /** Names that this graph gives a value: its inputs, initializers and what its nodes make. */
  public Set<String> made() {
    Set<String> own = new HashSet<>(initializers.keySet());
    inputs.forEach(input -> own.add(input.name()));
    nodes.forEach(node -> own.addAll(node.outputs()));
    own.remove("");
    return own;
  }

  /** Names that this graph reads but does not make: what it captures when it is a subgraph. */
  public Set<String> captures() {
    Set<String> captured = new LinkedHashSet<>();
    nodes.forEach(node -> captured.addAll(node.reads()));
    outputs.forEach(output -> captured.add(output.name()));
    captured.removeAll(made());
    return captured;
  }

  /** Every name of a value in use anywhere, subgraphs included. */
  public Set<String> names() {
    Set<String> all = new HashSet<>(initializers.keySet());
    inputs.forEach(input -> all.add(input.name()));
    outputs.forEach(output -> all.add(output.name()));
    for (Node node : nodes) {
      all.addAll(node.inputs());
      all.addAll(node.outputs());
      node.subgraphs().forEach(graph -> all.addAll(graph.names()));
    }
    return all;
  }

  private Map<String, Node> indexProducers() {
    Map<String, Node> index = new HashMap<>(2 * nodes.size());
    for (Node node : nodes) {
      for (String output : node.outputs()) {
        if (!output.isEmpty() && index.put(output, node) != null) {
          throw new IllegalArgumentException("value '" + output + "' is made twice");
        }
      }
    }
    return index;
  }

  private Map<String, Integer> indexPositions() {
    Map<String, Integer> index = new HashMap<>(2 * nodes.size());
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).outputs()) {
        index.put(output, i);
      }
    }
    return index;
  }

  private Map<String, List<Node>> indexConsumers() {
    Map<String, List<Node>> index = new HashMap<>(2 * nodes.size());
    for (Node node : nodes) {
      for (String value : node.reads()) {
        index.computeIfAbsent(value, key -> new ArrayList<>(2)).add(node);
      }
    }
    return index;
  }

  public Graph withNodes(List<Node> changed) {
    return with(changed, initializers);
  }

  public Graph with(List<Node> changed, Map<String, Initializer> constants) {
    return new Graph(name, changed, constants, inputs, outputs, declared, rest);
  }

  public Graph withOutputs(List<Value> changed) {
    return new Graph(name, nodes, initializers, inputs, changed, declared, rest);
  }

  public Graph withDeclared(Map<String, Value> changed) {
    return new Graph(name, nodes, initializers, inputs, outputs, changed, rest);
  }

  @Override
  public String toString() {
    return GraphText.print(this);
  }
}
