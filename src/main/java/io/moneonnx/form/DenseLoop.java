package io.moneonnx.form;

import io.moneonnx.graph.Fill;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.match.Constant;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.ExpertGrouping;
import io.moneonnx.moe.ExpertWeights;
import io.moneonnx.moe.FfnFinder;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.GateValues;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.NeutralValues;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeightSource;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.passes.GateColumn;
import io.moneonnx.passes.GateSum;
import io.moneonnx.passes.GatedTerm;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Every expert computes every token, and what was not chosen is multiplied by 0.
 *
 * <pre>{@code
 * gate_e = column e of a matrix of routing weights [tokens, experts],
 *          or ReduceSum (weights * (indices == e))
 * y      = FFN_0 (x) * gate_0 + FFN_1 (x) * gate_1 + ...        [tokens, hidden]
 * }</pre>
 *
 * Removing expert {@code e} takes its term out of the sum.
 */
final class DenseLoop implements Form {
  /** What the pattern of a gated output looks through. */
  private static final Set<String> RESHAPING = Set.of("Cast", "Reshape", "Unsqueeze");

  /**
   * What is in the names of operators whose outputs may have another last axis than their inputs.
   */
  private static final Set<String> ANEW =
      Set.of(
          "Flatten",
          "GlobalAveragePool",
          "Reduce",
          "Reshape",
          "Squeeze",
          "Transpose",
          "MatMul",
          "Gemm");

  private final Graph graph;
  private final NeutralValues neutral;
  private final List<GateColumn> columns;
  private final Map<String, List<GateSum>> sumsByIndices;

  DenseLoop(Graph graph) {
    this.graph = graph;
    neutral = new NeutralValues(graph);
    columns = GateColumn.findAll(graph);
    sumsByIndices =
        GateSum.findAll(graph).stream().collect(Collectors.groupingBy(GateSum::experts));
  }

  @Override
  public String name() {
    return "dense-loop";
  }

  /** One expert's routing weights {@code gate [tokens, 1]}, and what they were taken from. */
  private record Gate(RoutingWeights from, int expert, String gate) {
    static Stream<Gate> of(RoutingWeights from, Constant expert, String gate) {
      long[] id = expert.integers();
      return id.length == 1 ? Stream.of(new Gate(from, (int) id[0], gate)) : Stream.empty();
    }
  }

  /**
   * One expert's part of the sum.
   *
   * @param made what its output is computed from, behind the router's input
   */
  private record Expert(
      int id, RoutingWeights routingWeights, String raw, String term, Set<String> made) {}

  @Override
  public Recognition recognise(Routing routing) {
    List<Gate> gates = gates(routing, new GateValues(graph, neutral, routing));
    if (gates.isEmpty()) {
      return Recognition.miss(
          graph,
          GateSum.patterns(),
          routing,
          "no routing weights of single experts are made from the routing indices");
    }
    Map<Integer, List<Expert>> found =
        gates.stream()
            .flatMap(gate -> expert(gate, routing).stream())
            .collect(Collectors.groupingBy(Expert::id));
    Set<Integer> identities = identities(found, routing);
    return found.isEmpty()
        ? new Recognition.NotThisForm("no expert's output is multiplied by its routing weights")
        : ExpertGrouping.complete(
            found,
            gates.stream().map(Gate::expert).collect(Collectors.toSet()),
            routing.after(identities),
            experts -> summed(routing, experts));
  }

  /** Takes out what multiplies routing weights with no weights of its own, and says which. */
  private Set<Integer> identities(Map<Integer, List<Expert>> found, Routing routing) {
    Set<Integer> identities = new HashSet<>(routing.gone());
    found
        .entrySet()
        .removeIf(
            expert ->
                expert.getValue().stream().allMatch(this::isIdentity)
                    && identities.add(expert.getKey()));
    return identities;
  }

  private boolean isIdentity(Expert expert) {
    return ExpertWeights.of(graph, List.of(expert.made())).isEmpty();
  }

  private Optional<Expert> expert(Gate gate, Routing routing) {
    List<GatedTerm> terms = GatedTerm.findAll(graph, "gates", gate.gate());
    if (terms.size() != 1) {
      return Optional.empty();
    }
    String raw = outputs(terms.get(0));
    Set<String> made = Reach.backward(graph, List.of(raw), routing.input()::equals);
    return Optional.of(new Expert(gate.expert(), gate.from(), raw, terms.get(0).term(), made));
  }

  /** Whatever holds the routing weights of one expert for every token. */
  private List<Gate> gates(Routing routing, GateValues routingWeights) {
    Stream<Gate> single =
        columns.stream()
            .filter(column -> routingWeights.contains(column.matrix()))
            .flatMap(
                column ->
                    Gate.of(
                        new RoutingWeights.PerExpert(column.matrix()),
                        column.expert(),
                        column.gate()));
    Stream<Gate> split =
        graph.nodes().stream()
            .filter(node -> routingWeights.contains(node.input(0)))
            .flatMap(node -> splitColumns(node, routing.experts()));
    Stream<Gate> sums =
        sumsByIndices.getOrDefault(routing.choice().value(), List.of()).stream()
            .flatMap(sum -> Gate.of(summedFrom(sum), sum.expert(), sum.gate()));
    return Stream.of(single, split, sums).flatMap(gates -> gates).toList();
  }

  private RoutingWeights summedFrom(GateSum sum) {
    return new RoutingWeights.PerChoice(RoutingWeightSource.of(graph, sum.weights()));
  }

  /** A matrix of routing weights cut into all its columns. */
  private static Stream<Gate> splitColumns(Node node, int experts) {
    boolean isSplit = node.is("Split") && node.intAttribute("axis", 0) != 0;
    return isSplit && node.outputs().size() == experts
        ? IntStream.range(0, experts)
            .mapToObj(
                e ->
                    new Gate(new RoutingWeights.PerExpert(node.input(0)), e, node.outputs().get(e)))
        : Stream.empty();
  }

  /** The factor of the term that is no routing weight, as the multiplication reads it. */
  private String outputs(GatedTerm term) {
    Node product = graph.producer(term.term()).orElseThrow();
    return product.input(isReshaped(product.input(0), term.gates()) ? 1 : 0);
  }

  private boolean isReshaped(String value, String from) {
    return value.equals(from)
        || graph
            .producer(value)
            .filter(node -> RESHAPING.contains(node.opType()))
            .filter(node -> isReshaped(node.input(0), from))
            .isPresent();
  }

  private Recognition summed(Routing routing, List<Expert> experts) {
    Set<RoutingWeights> routingWeights =
        experts.stream().map(Expert::routingWeights).collect(Collectors.toSet());
    if (routingWeights.size() != 1) {
      return new Recognition.Refused(
          "the experts take their routing weights from different values: "
              + routingWeights.stream().map(RoutingWeights::value).sorted().toList());
    }
    Optional<String> image = experts.stream().map(Expert::raw).filter(this::isImage).findFirst();
    if (image.isPresent()) {
      return new Recognition.Refused(
          "an expert puts out '%s', which a convolution makes, with channels before places; expected one vector for each token, in the last axis"
              .formatted(image.get()));
    }
    Optional<String> sum = sum(experts);
    if (sum.isEmpty()) {
      return new Recognition.Refused("the experts' outputs are not added up to one value");
    }
    List<String> raws = experts.stream().map(Expert::raw).toList();
    return Recognition.unless(
        ClosedRegion.leak(graph, raws, sum.get()),
        () -> claim(routing, routingWeights.iterator().next(), experts, sum.get()));
  }

  /** True where a convolution makes a value, and nothing behind it makes another last axis. */
  private boolean isImage(String raw) {
    return Reach.backward(graph, List.of(raw), this::isLaidOutAnew).stream()
        .flatMap(value -> graph.producer(value).stream())
        .anyMatch(node -> node.opType().contains("Conv"));
  }

  private boolean isLaidOutAnew(String value) {
    return graph
        .producer(value)
        .map(Node::opType)
        .filter(operator -> ANEW.stream().anyMatch(operator::contains))
        .isPresent();
  }

  private Recognition claim(
      Routing routing, RoutingWeights routingWeights, List<Expert> experts, String sum) {
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            routingWeights,
            sum,
            ExpertWeights.of(graph, experts.stream().map(Expert::made).toList()),
            experts.stream().map(Expert::id).toList(),
            new FfnFinder(graph).each(experts.stream().map(Expert::raw).toList()),
            new Sum(graph, experts, routing, sum)));
  }

  /** The value in which all terms have been added up once each, and nothing else. */
  private Optional<String> sum(List<Expert> experts) {
    Map<String, Set<Integer>> parts = new HashMap<>();
    experts.forEach(expert -> parts.put(expert.term(), Set.of(expert.id())));
    List<String> terms = experts.stream().map(Expert::term).toList();
    Set<String> behind = Reach.forward(graph, terms, value -> !isAdded(value));
    for (Node node : graph.nodes()) {
      if (behind.contains(node.output()) && node.is("Add")) {
        Set<Integer> left = part(parts, node.input(0));
        Set<Integer> right = part(parts, node.input(1));
        if (left != null && right != null && Collections.disjoint(left, right)) {
          Set<Integer> both = new HashSet<>(left);
          both.addAll(right);
          parts.put(node.output(), both);
        }
      }
    }
    return parts.entrySet().stream()
        .filter(entry -> entry.getValue().size() == experts.size())
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** The experts in a value, none in zeros that a sum begins with; null in anything else. */
  private Set<Integer> part(Map<String, Set<Integer>> parts, String value) {
    return parts.getOrDefault(value, Fill.isZero(graph, value) ? Set.of() : null);
  }

  private boolean isAdded(String value) {
    return graph.consumers(value).stream().anyMatch(node -> node.is("Add"));
  }

  private record Sum(Graph graph, List<Expert> experts, Routing routing, String output)
      implements Layout {
    @Override
    public Rows rows(Ops ops) {
      return new Rows.Dense(experts.stream().map(Expert::raw).toList());
    }

    @Override
    public Optional<Rows> activations(Ops ops, List<String> values) {
      return Optional.of(new Rows.Dense(values));
    }

    /** Where one side of an addition is gone, everything reads the other side. */
    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      if (pruned.size() == experts.size()) {
        ops.edit().redirect(output, routing.nothing(ops, output));
        return;
      }
      Set<String> gone =
          experts.stream()
              .filter(expert -> pruned.contains(expert.id()))
              .map(Expert::term)
              .collect(Collectors.toCollection(HashSet::new));
      Set<String> sums =
          Reach.backward(
              graph,
              List.of(output),
              value -> experts.stream().anyMatch(expert -> expert.term().equals(value)));
      for (Node node : graph.nodes()) {
        if (node.is("Add") && sums.contains(node.output())) {
          boolean left = gone.contains(node.input(0));
          boolean right = gone.contains(node.input(1));
          if (left && right) {
            gone.add(node.output());
          } else if (left || right) {
            ops.edit().redirect(node.output(), node.input(left ? 1 : 0));
          }
        }
      }
    }
  }
}
