package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import io.moneonnx.passes.GateColumn;
import io.moneonnx.passes.GatedTerm;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Gates that choose nothing, as in MMoE and PLE: every expert's output counts for every token.
 *
 * <pre>{@code
 * gates = Softmax (x * constant [hidden, experts])
 * y     = FFN_0 (x) * gates[0] + FFN_1 (x) * gates[1] + ...
 * }</pre>
 */
final class SoftGates {
  private static final Set<String> RESHAPING =
      Set.of("Cast", "Reshape", "Transpose", "Unsqueeze", "Squeeze");
  private static final Set<String> ADJUSTING = Set.of("Cast", "Add", "Div", "Mul", "Reshape");
  private static final Set<String> WEIGHTING = Set.of("Mul", "MatMul", "Einsum");

  private final Graph graph;

  SoftGates(Graph graph) {
    this.graph = graph;
  }

  /** A refusal for each softmax by which all outputs of several experts are weighted. */
  List<Refusal> refusals() {
    List<GateColumn> columns = GateColumn.findAll(graph);
    return graph.nodes().stream()
        .filter(node -> node.is("Softmax"))
        .flatMap(
            softmax ->
                experts(softmax.input(0)).stream()
                    .filter(experts -> weighsEach(softmax, experts, columns))
                    .map(experts -> refusal(softmax, experts)))
        .toList();
  }

  private static Refusal refusal(Node softmax, long experts) {
    return new Refusal(
        softmax.label(),
        "each token is computed by all %d experts and weighted by this softmax; expected a router that chooses some of them"
            .formatted(experts));
  }

  /** How many columns the constant has whose product scores are, if they are one. */
  private Optional<Long> experts(String scores) {
    String value = scores;
    Optional<Node> node = graph.producer(value);
    while (node.filter(each -> ADJUSTING.contains(each.opType())).isPresent()) {
      Node adjusting = node.get();
      boolean isSecond = graph.constant(adjusting.input(0)).isPresent();
      value = adjusting.input(isSecond ? 1 : 0);
      node = graph.producer(value);
    }
    return node.filter(product -> product.is("MatMul") || product.is("Gemm"))
        .flatMap(product -> graph.constant(product.input(1)).flatMap(w -> columns(product, w)))
        .filter(columns -> columns > 1);
  }

  private static Optional<Long> columns(Node product, Tensor weight) {
    boolean isTransposed = product.is("Gemm") && product.intAttribute("transB", 0) == 1;
    return weight.rank() == 2
        ? Optional.of(weight.dims().get(isTransposed ? 0 : 1))
        : Optional.empty();
  }

  private boolean weighsEach(Node softmax, long experts, List<GateColumn> columns) {
    return weighsColumns(softmax.output(), experts, columns)
        || weighsStack(softmax.output(), experts);
  }

  /** True where each column of the gates is a factor of one term. */
  private boolean weighsColumns(String gates, long experts, List<GateColumn> columns) {
    Set<Long> single =
        columns.stream()
            .filter(column -> column.matrix().equals(gates))
            .filter(column -> weighsTerm(column.gate()))
            .flatMap(column -> LongStream.of(column.expert().integers()).boxed())
            .collect(Collectors.toSet());
    boolean isEach =
        single.equals(LongStream.range(0, experts).boxed().collect(Collectors.toSet()));
    return isEach
        || graph.consumers(gates).stream()
            .filter(node -> node.is("Split") && node.outputs().size() == experts)
            .anyMatch(split -> split.outputs().stream().allMatch(this::weighsTerm));
  }

  private boolean weighsTerm(String gate) {
    return !GatedTerm.findAll(graph, "gates", gate).isEmpty();
  }

  /** True where the gates are multiplied with as many values put together. */
  private boolean weighsStack(String gates, long experts) {
    return behind(gates)
        .filter(node -> WEIGHTING.contains(node.opType()))
        .flatMap(node -> IntStream.range(0, node.inputs().size()).mapToObj(node::input))
        .anyMatch(input -> stacked(input) == experts);
  }

  /** What reads the gates, whatever their shape. */
  private Stream<Node> behind(String gates) {
    return graph.consumers(gates).stream()
        .flatMap(
            node ->
                RESHAPING.contains(node.opType())
                    ? graph.consumers(node.output()).stream()
                    : Stream.of(node));
  }

  private int stacked(String value) {
    Optional<Node> node = graph.producer(value);
    while (node.filter(each -> RESHAPING.contains(each.opType())).isPresent()) {
      node = graph.producer(node.get().input(0));
    }
    return node.filter(each -> each.is("Concat")).map(each -> each.inputs().size()).orElse(0);
  }
}
