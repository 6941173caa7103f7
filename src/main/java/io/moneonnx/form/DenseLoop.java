package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Zeros;
import io.moneonnx.match.MatchFailure;
import io.moneonnx.match.Matcher;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.CoefficientSource;
import io.moneonnx.moe.Coefficients;
import io.moneonnx.moe.ExpertGrouping;
import io.moneonnx.moe.ExpertWeights;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import io.moneonnx.passes.EqualGate;
import io.moneonnx.passes.GateColumn;
import io.moneonnx.passes.GateMatrix;
import io.moneonnx.passes.GateSum;
import io.moneonnx.passes.GatedTerm;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Every expert computes every token, and what was not chosen is multiplied by 0.
 *
 * <pre>{@code
 * gate_e = column e of a matrix of coefficients, or ReduceSum (weights * (indices == e))
 * y      = FFN_0 (x) * gate_0 + FFN_1 (x) * gate_1 + ...        [tokens, hidden]
 * }</pre>
 *
 * Removing expert {@code e} takes its term out of the sum.
 */
final class DenseLoop implements Form {
  /** What the pattern of a gated output looks through. */
  private static final Set<String> RESHAPING = Set.of("Cast", "Reshape", "Unsqueeze");

  private final Graph graph;
  private final Map<String, List<Gate>> gatesByIndices;

  DenseLoop(Graph graph) {
    this.graph = graph;
    Map<String, GateMatrix> matrices = new HashMap<>();
    GateMatrix.findAll(graph).forEach(matrix -> matrices.put(matrix.matrix(), matrix));
    Stream<Gate> columns =
        GateColumn.findAll(graph).stream()
            .filter(column -> matrices.containsKey(column.matrix()))
            .flatMap(column -> Gate.of(matrices.get(column.matrix()), column).stream());
    Stream<Gate> sums = GateSum.findAll(graph).stream().flatMap(sum -> Gate.of(sum).stream());
    gatesByIndices = Stream.concat(columns, sums).collect(Collectors.groupingBy(Gate::indices));
  }

  @Override
  public String name() {
    return "dense-loop";
  }

  /** One expert's coefficients {@code gate [tokens, 1]}, taken from {@code weights}. */
  private record Gate(String indices, String weights, int expert, String gate) {
    static Optional<Gate> of(GateMatrix matrix, GateColumn column) {
      long[] expert = column.expert().tensor().toLongs();
      return expert.length == 1
          ? Optional.of(
              new Gate(matrix.experts(), matrix.weights(), (int) expert[0], column.gate()))
          : Optional.empty();
    }

    static Optional<Gate> of(GateSum sum) {
      long[] expert = sum.expert().tensor().toLongs();
      return expert.length == 1
          ? Optional.of(new Gate(sum.experts(), sum.weights(), (int) expert[0], sum.gate()))
          : Optional.empty();
    }
  }

  /** One expert's part of the sum; all but the id are names of values. */
  private record Expert(int id, String weights, String raw, String term) {}

  @Override
  public Recognition recognise(Routing routing) {
    List<Gate> gates = gatesByIndices.getOrDefault(routing.choice().value(), List.of());
    if (gates.isEmpty()) {
      return new Recognition.NotThisForm(
          Matcher.nearest(graph, List.of(EqualGate.PATTERN), "experts", routing.choice().value())
              .map(MatchFailure::message)
              .orElse("no coefficients of single experts are made from the routing indices"));
    }
    Map<Integer, Expert> found = new HashMap<>();
    for (Gate gate : gates) {
      List<GatedTerm> terms = GatedTerm.findAll(graph, "gates", gate.gate());
      if (terms.size() == 1) {
        GatedTerm term = terms.get(0);
        Expert expert = new Expert(gate.expert(), gate.weights(), outputs(term), term.term());
        if (found.put(gate.expert(), expert) != null) {
          return new Recognition.Refused("two regions for expert " + gate.expert());
        }
      }
    }
    if (found.isEmpty()) {
      return new Recognition.NotThisForm("no expert's output is multiplied by its coefficients");
    }
    String incomplete = ExpertGrouping.incomplete(found, routing.experts());
    return incomplete.isEmpty()
        ? summed(routing, ExpertGrouping.inOrder(found, routing.experts()))
        : new Recognition.Refused(incomplete);
  }

  /** The factor of the term that is no coefficient, as the multiplication reads it. */
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
    Set<String> weights = experts.stream().map(Expert::weights).collect(Collectors.toSet());
    if (weights.size() != 1) {
      return new Recognition.Refused(
          "the experts take their coefficients from different values: " + weights);
    }
    Optional<String> sum = sum(experts);
    if (sum.isEmpty()) {
      return new Recognition.Refused("the experts' outputs are not added up to one value");
    }
    Optional<String> leak =
        ClosedRegion.leak(graph, experts.stream().map(Expert::term).toList(), sum.get());
    if (leak.isPresent()) {
      return new Recognition.Refused(leak.get());
    }
    Set<String> own =
        ExpertWeights.of(
            graph,
            experts.stream()
                .map(
                    expert -> Reach.backward(graph, List.of(expert.raw()), routing.input()::equals))
                .toList());
    return new Recognition.Recognised(
        new Claim(
            routing,
            new Coefficients.PerChoice(CoefficientSource.of(graph, weights.iterator().next())),
            sum.get(),
            own,
            ExpertWeights.bytes(graph, own) / experts.size(),
            new Sum(graph, experts, routing, sum.get())));
  }

  /** The value in which all terms have been added up, and nothing else. */
  private Optional<String> sum(List<Expert> experts) {
    Map<String, Set<Integer>> parts = new HashMap<>();
    experts.forEach(expert -> parts.put(expert.term(), Set.of(expert.id())));
    List<String> terms = experts.stream().map(Expert::term).toList();
    Set<String> behind = Reach.forward(graph, terms, value -> !isAdded(value));
    for (Node node : graph.nodes()) {
      if (behind.contains(node.output()) && node.is("Add")) {
        Set<Integer> left = parts(parts, node.input(0));
        Set<Integer> right = parts(parts, node.input(1));
        if (left != null && right != null) {
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

  /** The terms in a value, none in a sum that begins; null if there is something else in it. */
  private Set<Integer> parts(Map<String, Set<Integer>> found, String value) {
    return found.getOrDefault(value, Zeros.isZero(graph, value) ? Set.of() : null);
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

    /** Where one side of an addition is gone, everything reads the other side. */
    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      Set<String> gone = new HashSet<>();
      pruned.forEach(id -> gone.add(experts.get(id).term()));
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
      if (gone.contains(output)) {
        String indices = routing.indices(ops);
        String tokens = ops.gather(ops.shape(indices), ops.vector(0));
        String shape = ops.concat(0, List.of(tokens, ops.vector(routing.hidden())));
        ops.edit().redirect(output, ops.zeros(shape, ops.edit().type(output).orElseThrow()));
      }
    }
  }
}
