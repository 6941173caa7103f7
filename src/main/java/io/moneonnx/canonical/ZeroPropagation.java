package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.Fill;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What follows from values being absent: that others have no elements or are 0 too, and that sums
 * and scatters are then what they were without them.
 *
 * <pre>{@code
 * at = Unsqueeze (tokens, 1)                      no elements, if tokens has none
 * y  = ScatterND (x, at, updates)                 so y is x
 * }</pre>
 *
 * Every rule holds for all finite numbers and for operands of one shape: whether broadcasting would
 * enlarge a value is not looked at, and shows when blocks are proved. An operator without a rule
 * says nothing.
 */
final class ZeroPropagation {
  /** Operators that put out elements of their first input, all of them or some. */
  private static final Set<String> MOVING =
      Set.of(
          ("Cast Expand Flatten Gather GatherND Identity Reshape Slice Split Squeeze Transpose"
                  + " Unsqueeze")
              .split(" "));

  /** Operators on single elements: without elements if one of their inputs is. */
  private static final Set<String> ELEMENTWISE =
      Set.of(
          ("Abs Add And Clip Div Elu Equal Erf Exp Gelu Greater GreaterOrEqual HardSigmoid"
                  + " HardSwish LayerNormalization LeakyRelu Less LessOrEqual Log Max Min Mish Mul Neg Not Or"
                  + " PRelu Pow Reciprocal Relu Sigmoid Softmax Softplus Sqrt Sub Tanh Where Xor")
              .split(" "));

  private final Graph graph;
  private final Set<String> empty;
  private final Set<String> zero;
  private final Map<String, Set<String>> same = new HashMap<>();
  private Graph inside;

  ZeroPropagation(Graph graph, ConditionFacts absence) {
    this.graph = graph;
    this.inside = graph;
    this.empty = new HashSet<>(absence.empty());
    this.zero = new HashSet<>(absence.zero());
  }

  /** True if {@code value} is known to be what {@code other} is. */
  boolean isSame(String value, String other) {
    return !Collections.disjoint(same(value), same(other));
  }

  /** The value and all those that it is known to be. */
  private Set<String> same(String value) {
    Set<String> all = new HashSet<>(same.getOrDefault(value, Set.of()));
    all.add(value);
    return all;
  }

  /** Takes in what the nodes of a branch make of what is known. */
  void enter(Graph branch) {
    inside = branch;
    branch.nodes().forEach(this::follow);
  }

  /** Takes in what a node makes of what is known; call it in the order of the graph. */
  void follow(Node node) {
    if (!node.domain().isEmpty()) {
      return;
    }
    if (makesNothing(node)) {
      empty.addAll(node.outputs());
      empty.remove("");
      return;
    }
    Set<String> others = new HashSet<>();
    passedOn(node).forEach(value -> others.addAll(same(value)));
    if (!others.isEmpty()) {
      same.put(node.output(), others);
    }
    if (makesZero(node)) {
      zero.addAll(node.outputs());
      zero.remove("");
    }
  }

  private boolean makesNothing(Node node) {
    String first = node.input(0);
    return switch (node.opType()) {
      case "Gather", "GatherND" -> empty.contains(first) || empty.contains(node.input(1));
      case "MatMul" -> empty.contains(first) && hasElements(node.input(1));
      case "Gemm" ->
          empty.contains(first)
              && node.intAttribute("transA", 0) == 0
              && hasElements(node.input(1));
      case "NonZero" -> isZero(first);
      default ->
          MOVING.contains(node.opType())
              ? empty.contains(first)
              : ELEMENTWISE.contains(node.opType())
                  && node.inputs().stream().anyMatch(empty::contains);
    };
  }

  /** A weight, or a row of stacked ones. */
  private boolean hasElements(String weight) {
    Optional<Tensor> constant = inside.constant(weight).or(() -> graph.constant(weight));
    if (constant.isPresent()) {
      return constant.get().elements() > 0;
    }
    return inside
        .producer(weight)
        .or(() -> graph.producer(weight))
        .filter(
            node ->
                node.is("Cast")
                    || node.is("Transpose")
                    || (node.is("Gather") && graph.constant(node.input(1)).isPresent()))
        .filter(node -> hasElements(node.input(0)))
        .isPresent();
  }

  private boolean makesZero(Node node) {
    List<String> inputs = node.inputs();
    return switch (node.opType()) {
      case "Mul", "And", "MatMul" -> inputs.stream().anyMatch(this::isZero);
      case "Add", "Sub", "Or" -> inputs.stream().allMatch(this::isZero);
      case "ReduceSum", "ReduceMax" -> isZero(inputs.get(0));
      case "ScatterElements", "ScatterND" ->
          isZero(inputs.get(0)) && (empty.contains(inputs.get(1)) || isZero(inputs.get(2)));
      default -> MOVING.contains(node.opType()) && isZero(inputs.get(0));
    };
  }

  /** The inputs that the node passes on as they are. */
  private List<String> passedOn(Node node) {
    String first = node.input(0);
    String second = node.input(1);
    return switch (node.opType()) {
      case "Identity" -> List.of(first);
      case "Add" ->
          Stream.concat(
                  Stream.of(first).filter(value -> isZero(second)),
                  Stream.of(second).filter(value -> isZero(first)))
              .toList();
      case "Sub" -> isZero(second) ? List.of(first) : List.of();
      case "Where" -> isZero(first) ? List.of(node.input(2)) : List.of();
      case "ScatterElements", "ScatterND" ->
          empty.contains(second) || (isZero(node.input(2)) && addsUp(node))
              ? List.of(first)
              : List.of();
      default -> List.of();
    };
  }

  private static boolean addsUp(Node scatter) {
    return scatter.attributes().get("reduction") instanceof Attribute.OfText reduction
        && reduction.value().equals("add");
  }

  private boolean isZero(String value) {
    return same(value).stream()
        .anyMatch(
            known ->
                zero.contains(known)
                    || Fill.isZero(graph, known)
                    || (inside != graph && Fill.isZero(inside, known)));
  }
}
