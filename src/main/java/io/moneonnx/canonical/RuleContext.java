package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ConstantShapes;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Initializer;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.Value;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.graph.ValueTypes;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What a rule may ask of the graph: all that comes before the node that it is shown. */
final class RuleContext {
  private final Map<String, Initializer> constants;
  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, String> aliases = new HashMap<>();
  private final Set<String> named = new HashSet<>();
  private final Map<String, Integer> reads = new HashMap<>();
  private final FreshNames names;
  private final ValueTypes types;
  private final ValueRanks ranks;
  private final ConstantShapes shapes = new ConstantShapes(this::constant, this::producer);
  private final Map<List<Object>, String> transposed = new HashMap<>();
  private final Map<Long, String> numbers = new HashMap<>();

  RuleContext(Graph graph, FreshNames names) {
    this.constants = new LinkedHashMap<>(graph.initializers());
    this.names = names;
    this.types = new ValueTypes(graph.withNodes(List.of()));
    this.ranks = new ValueRanks(graph, this::constant, this::producer);
    constants.values().forEach(ranks::constant);
    graph.outputs().stream().map(Value::name).forEach(named::add);
    named.forEach(output -> reads.put(output, 1));
    for (int i = graph.nodes().size() - 1; i >= 0; i--) {
      Node node = graph.nodes().get(i);
      node.subgraphs().forEach(body -> named.addAll(body.captures()));
      int each = node.is("Identity") ? reads.getOrDefault(node.output(), 0) : 1;
      node.reads().forEach(value -> reads.merge(value, each, Integer::sum));
    }
  }

  /** All constants, those that rules have made among them. */
  Map<String, Initializer> constants() {
    return constants;
  }

  Optional<Tensor> constant(String value) {
    return Optional.ofNullable(constants.get(value)).map(Initializer::tensor);
  }

  /** The elements of an int64 or int32 constant. */
  Optional<long[]> integers(String value) {
    return constant(value).flatMap(Tensor::integers);
  }

  /** True for a constant that is this one integer. */
  boolean isNumber(String value, long number) {
    return constant(value).filter(tensor -> tensor.isNumber(number)).isPresent();
  }

  Optional<Node> producer(String value) {
    return Optional.ofNullable(producers.get(value));
  }

  /** The node that makes {@code value}, if it applies this operator of ONNX's own domain. */
  Optional<Node> producer(String value, String operator) {
    return producer(value).filter(node -> node.is(operator));
  }

  Optional<ElementType> type(String value) {
    return types.of(value);
  }

  OptionalInt rank(String value) {
    return ranks.of(value);
  }

  /** The shape of what is made of nothing but constants, such as a weight; empty for all else. */
  Optional<List<Long>> weightShape(String value) {
    return shapes.of(value);
  }

  /**
   * The name of {@code value} with its axes in this order.
   *
   * @param nodes takes the node that makes it, if none does so far
   */
  String transposed(String value, List<Long> perm, List<Node> nodes) {
    return transposed.computeIfAbsent(
        List.of(value, perm),
        key -> {
          String name = fresh(value + "/transposed");
          nodes.add(
              Node.of(
                  "Transpose",
                  List.of(value),
                  List.of(name),
                  Map.of("perm", new Attribute.OfInts(perm))));
          return name;
        });
  }

  /** True for values whose names must stay: the graph's outputs, and what subgraphs capture. */
  boolean isNamed(String value) {
    return named.contains(value);
  }

  /** True for values of the graph as it was that one node reads, be it through identities. */
  boolean isReadOnce(String value) {
    return reads.getOrDefault(value, 0) == 1;
  }

  /** Takes values whose names must stay, since a body that a rule has made captures them. */
  void keepNames(Collection<String> values) {
    named.addAll(values);
  }

  /** A name that no value has, like {@code hint}. */
  String fresh(String hint) {
    return names.like(hint);
  }

  /** Adds a constant, and returns its name. */
  String constant(String hint, Tensor tensor) {
    String name = fresh(hint);
    put(name, tensor);
    return name;
  }

  /** A constant int64 vector of one element; each number has one. */
  String number(long number) {
    return numbers.computeIfAbsent(number, n -> constant("mone.int" + n, Tensor.vector(number)));
  }

  /** The value that is read in place of {@code value}. */
  String alias(String value) {
    return aliases.getOrDefault(value, value);
  }

  void put(String name, Tensor tensor) {
    Initializer constant = Initializer.of(name, tensor);
    constants.put(name, constant);
    types.infer(constant);
    ranks.constant(constant);
  }

  void put(Node node) {
    node.outputs().forEach(output -> producers.put(output, node));
    types.infer(node);
    ranks.infer(node);
  }

  void putAlias(String value, String stands) {
    aliases.put(value, alias(stands));
  }
}
