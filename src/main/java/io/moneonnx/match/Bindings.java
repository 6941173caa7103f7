package io.moneonnx.match;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Tensor;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What the names of a pattern stand for in a graph. Immutable: a search branches by copies. */
public final class Bindings {
  private final Graph graph;
  private final Pattern pattern;
  private final Map<String, String> values;
  private final Map<String, Attribute> attributes;
  private final Map<String, Long> sizes;
  private final int nodes;

  private Bindings(
      Graph graph,
      Pattern pattern,
      Map<String, String> values,
      Map<String, Attribute> attributes,
      Map<String, Long> sizes,
      int nodes) {
    this.graph = graph;
    this.pattern = pattern;
    this.values = values;
    this.attributes = attributes;
    this.sizes = sizes;
    this.nodes = nodes;
  }

  static Bindings none(Graph graph, Pattern pattern) {
    return new Bindings(graph, pattern, Map.of(), Map.of(), Map.of(), 0);
  }

  public Pattern pattern() {
    return pattern;
  }

  /** How many nodes the pattern's statements have been found in. */
  public int nodes() {
    return nodes;
  }

  /** The value that {@code name} stands for; empty if it is optional and was not there. */
  public Optional<String> find(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /** The value that {@code name} stands for. */
  public String value(String name) {
    return find(name)
        .orElseThrow(
            () -> new IllegalArgumentException(pattern.name() + " binds no value '" + name + "'"));
  }

  /** The constant that {@code name} stands for. */
  public Constant constant(String name) {
    return constantOf(value(name));
  }

  /** The constant that {@code name} stands for; empty if it is optional and was not there. */
  public Optional<Constant> findConstant(String name) {
    return find(name).map(this::constantOf);
  }

  private Constant constantOf(String value) {
    Tensor tensor =
        graph
            .constant(value)
            .orElseThrow(() -> new IllegalStateException("'" + value + "' is not constant"));
    return new Constant(value, tensor);
  }

  public long integer(String attribute) {
    return ((Attribute.OfInt) attributes.get(attribute)).value();
  }

  public float real(String attribute) {
    return ((Attribute.OfFloat) attributes.get(attribute)).value();
  }

  public String text(String attribute) {
    return ((Attribute.OfText) attributes.get(attribute)).value();
  }

  public List<Long> integers(String attribute) {
    return ((Attribute.OfInts) attributes.get(attribute)).values();
  }

  /** With one more value; empty if {@code name} already stands for another. */
  Optional<Bindings> with(String name, String value) {
    return with(values, name, value)
        .map(more -> new Bindings(graph, pattern, more, attributes, sizes, nodes));
  }

  Optional<Bindings> withAttribute(String name, Attribute attribute) {
    return with(attributes, name, attribute)
        .map(more -> new Bindings(graph, pattern, values, more, sizes, nodes));
  }

  Optional<Bindings> withSize(String letter, long size) {
    return with(sizes, letter, size)
        .map(more -> new Bindings(graph, pattern, values, attributes, more, nodes));
  }

  Bindings withNode() {
    return new Bindings(graph, pattern, values, attributes, sizes, nodes + 1);
  }

  private static <T> Optional<Map<String, T>> with(Map<String, T> bound, String name, T item) {
    T before = bound.get(name);
    if (before != null) {
      return before.equals(item) ? Optional.of(bound) : Optional.empty();
    }
    Map<String, T> more = new HashMap<>(bound);
    more.put(name, item);
    return Optional.of(Collections.unmodifiableMap(more));
  }

  /** What the pattern's signature shows of these bindings; all else is how they were found. */
  List<Object> captures() {
    return Stream.concat(
            Stream.of(attributes),
            Stream.concat(pattern.inputs().stream(), pattern.outputs().stream()).map(this::find))
        .toList();
  }

  @Override
  public String toString() {
    return pattern.name() + values + attributes;
  }
}
