package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The matrix product of a router, with its bias, and how it is made for some of its experts only.
 *
 * <pre>{@code
 * Gemm (x, router [experts, hidden], bias [experts])  =>  Gemm (x, [kept, hidden], [kept])
 * }</pre>
 *
 * Weights that are packed or quantised move by whole rows, as bytes.
 *
 * @param product the node that multiplies
 * @param sum the node that adds a bias to nothing but the product, if there is one
 */
record RouterProjection(Graph graph, Node product, Optional<Node> sum, int experts) {
  /** Inputs of {@code MatMulNBits} that have a row for each column of what comes out. */
  private static final List<Integer> PACKED = List.of(1, 2, 3, 5);

  static RouterProjection of(RouterPath path) {
    Graph graph = path.graph();
    Node product = path.projection();
    int experts = path.routing().experts();
    Optional<Node> sum =
        path.nodes().stream()
            .skip(1)
            .limit(1)
            .filter(node -> node.is("Add") && graph.consumers(product.output()).size() == 1)
            .filter(
                node ->
                    node.inputs().stream()
                        .flatMap(input -> graph.constant(input).stream())
                        .anyMatch(bias -> isPerExpert(bias, experts)))
            .findFirst();
    return new RouterProjection(graph, product, sum, experts);
  }

  /** The scores of all experts, {@code [..., experts]}. */
  String output() {
    return sum.orElse(product).output();
  }

  /** Why single experts cannot be cut out of the router; empty if they can. */
  Optional<String> objection() {
    if (!product.opType().equals("MatMulNBits")) {
      return objection(weight(), weightAxis()).or(this::termObjection);
    }
    return PACKED.stream()
        .filter(input -> product.given(input).isPresent())
        .filter(input -> packed(input).filter(this::isRowsOfBytes).isEmpty())
        .map(
            input ->
                "'%s', of the router, has no rows of whole bytes for %d experts"
                    .formatted(product.input(input), experts))
        .findFirst();
  }

  /** Why the third input of a {@code Gemm} cannot be cut; empty if it can, or need not be. */
  private Optional<String> termObjection() {
    String term = product.input(2);
    boolean isPlain = term.isEmpty() || graph.constant(term).isPresent();
    if (!isPlain && Weight.behind(graph, term).isEmpty()) {
      return Optional.of("'%s', that the router adds, is no constant".formatted(term));
    }
    return isPlain || isOneNumber(term) ? Optional.empty() : objection(term, 0);
  }

  private boolean isOneNumber(String term) {
    return Weight.behind(graph, term)
        .filter(weight -> Tensor.elements(weight.dims()) == 1)
        .isPresent();
  }

  /** The scores of these experts, {@code [..., kept]}. */
  String of(Ops ops, List<Integer> kept) {
    List<String> inputs = new ArrayList<>(product.inputs());
    inputs.set(0, ops.edit().current(inputs.get(0)));
    String scores =
        product.opType().equals("MatMulNBits")
            ? packed(ops, inputs, kept)
            : multiplied(ops, inputs, kept);
    return sum.isPresent() ? ops.add(scores, bias(ops, kept)) : scores;
  }

  private String multiplied(Ops ops, List<String> inputs, List<Integer> kept) {
    inputs.set(1, WeightView.of(graph, weight()).orElseThrow().keep(ops, weightAxis(), kept));
    if (inputs.size() > 2) {
      inputs.set(2, term(ops, inputs.get(2), kept));
    }
    return ops.apply(product, inputs, Map.of());
  }

  private String term(Ops ops, String term, List<Integer> kept) {
    return term.isEmpty() || graph.constant(term).isPresent() || isOneNumber(term)
        ? perExpert(ops, term, kept)
        : WeightView.of(graph, term).orElseThrow().keep(ops, 0, kept);
  }

  private String weight() {
    return product.input(1);
  }

  private int weightAxis() {
    return product.is("Gemm") && product.intAttribute("transB", 0) == 1 ? 0 : 1;
  }

  private Optional<String> objection(String constant, int axis) {
    return WeightView.of(graph, constant)
        .map(view -> view.objection(axis, experts))
        .orElseGet(() -> Optional.of(computed(constant)));
  }

  private String computed(String weight) {
    Node node = graph.producer(weight).orElseThrow();
    return "the weight '%s' is made by %s '%s'".formatted(weight, node.opType(), node.label());
  }

  private String packed(Ops ops, List<String> inputs, List<Integer> kept) {
    for (int input : PACKED) {
      if (product.given(input).isPresent()) {
        inputs.set(input, ops.constant("kept", rows(packed(input).orElseThrow(), kept)));
      }
    }
    return ops.apply(product, inputs, Map.of("N", Attribute.of(kept.size())));
  }

  private Optional<Tensor> packed(int input) {
    return graph.constant(product.input(input));
  }

  private boolean isRowsOfBytes(Tensor tensor) {
    long perRow = tensor.elements() / experts * tensor.type().bits();
    return tensor.elements() % experts == 0 && tensor.rank() > 0 && perRow % 8 == 0;
  }

  /** The rows of these experts; what is flat stays flat. */
  private Tensor rows(Tensor tensor, List<Integer> kept) {
    long perRow = tensor.elements() / experts;
    List<Long> dims = new ArrayList<>(tensor.dims());
    dims.set(0, dims.get(0) / experts * kept.size());
    return tensor.reshaped(List.of((long) experts, perRow)).rows(kept).reshaped(dims);
  }

  private String bias(Ops ops, List<Integer> kept) {
    return sum.orElseThrow().inputs().stream()
        .filter(input -> graph.constant(input).isPresent())
        .map(input -> perExpert(ops, input, kept))
        .findFirst()
        .orElseThrow();
  }

  private String perExpert(Ops ops, String bias, List<Integer> kept) {
    return graph
        .constant(bias)
        .filter(tensor -> isPerExpert(tensor, experts))
        .map(tensor -> ops.constant("kept", tensor.along(tensor.rank() - 1, kept)))
        .orElse(bias);
  }

  private static boolean isPerExpert(Tensor bias, int experts) {
    return bias.rank() > 0
        && bias.dims().get(bias.rank() - 1) == experts
        && bias.elements() == experts;
  }

  /** For each expert where its column is among those of the kept ones; others may have any. */
  static long[] columns(int experts, List<Integer> kept) {
    return IntStream.range(0, experts).mapToLong(e -> Math.max(0, kept.indexOf(e))).toArray();
  }
}
