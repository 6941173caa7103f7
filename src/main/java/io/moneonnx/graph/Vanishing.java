package io.moneonnx.graph;

import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What follows from a condition being true, or false: that values have no elements, that all their
 * elements are 0, and that others are then the same value as one they were computed from.
 *
 * <pre>{@code
 * rows = Shape (tokens)                           from "any is false" follows
 * n    = ReduceProd (rows)
 * any  = Greater (n, 0)                           n is 0, so tokens has no elements
 * at   = Unsqueeze (tokens, 1)                    nor has at
 * y    = ScatterND (x, at, updates)               y is x
 * }</pre>
 *
 * Every rule holds for all finite numbers; an operator without a rule says nothing.
 */
final class Vanishing {
  /** Operators that put out elements of their first input, all of them or some. */
  private static final Set<String> MOVING =
      Set.of(
          "Cast",
          "Expand",
          "Flatten",
          "Gather",
          "GatherND",
          "Identity",
          "Reshape",
          "Slice",
          "Split",
          "Squeeze",
          "Transpose",
          "Unsqueeze");

  /** Those among them that put out as many elements as they take. */
  private static final Set<String> RESHAPING =
      Set.of("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  /** Operators on single elements: without elements if one of their inputs is. */
  private static final Set<String> ELEMENTWISE =
      Set.of(
          "Abs",
          "Add",
          "And",
          "Clip",
          "Div",
          "Elu",
          "Equal",
          "Erf",
          "Exp",
          "Gelu",
          "Greater",
          "GreaterOrEqual",
          "HardSigmoid",
          "HardSwish",
          "LeakyRelu",
          "Less",
          "LessOrEqual",
          "Log",
          "Max",
          "Min",
          "Mish",
          "Mul",
          "Neg",
          "Not",
          "Or",
          "PRelu",
          "Pow",
          "Reciprocal",
          "Relu",
          "Sigmoid",
          "Softmax",
          "Softplus",
          "Sqrt",
          "Sub",
          "Tanh",
          "Where",
          "Xor");

  private static final Set<String> COMPARING =
      Set.of(
          "And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Xor");

  private final Graph graph;
  private final Set<String> empty = new HashSet<>();
  private final Set<String> zero = new HashSet<>();
  private final Map<String, Set<String>> same = new HashMap<>();
  private Graph inside;

  /** What follows from {@code condition}, a value of the graph, being {@code truth}. */
  Vanishing(Graph graph, String condition, boolean truth) {
    this.graph = graph;
    this.inside = graph;
    assume(condition, truth);
  }

  /** Values of which something is known already. */
  Set<String> seeds() {
    Set<String> seeds = new HashSet<>(empty);
    seeds.addAll(zero);
    return seeds;
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

  /** All elements of {@code value}, of which there are some, are true, or are 0. */
  private void assume(String value, boolean truth) {
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    if (!truth) {
      zero.add(value);
    }
    if (producer.isEmpty()) {
      return;
    }
    Node node = producer.get();
    String left = node.input(0);
    String right = node.input(1);
    switch (node.opType()) {
      case "Not" -> assume(left, !truth);
      case "Cast" -> {
        if (node.intAttribute("to", 0) == ElementType.BOOL.code() || isBit(left)) {
          assume(left, truth);
        }
      }
      case "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Transpose" ->
          assume(left, truth);
      case "ReduceMax", "ReduceSum" -> {
        if (!truth && isBit(left)) {
          assume(left, false);
        }
      }
      case "Greater" -> assumeNone(truth ? right : left, truth ? left : right, truth ? 1 : 0);
      case "Less" -> assumeNone(truth ? left : right, truth ? right : left, truth ? 1 : 0);
      case "GreaterOrEqual" ->
          assumeNone(truth ? right : left, truth ? left : right, truth ? 0 : 1);
      case "LessOrEqual" -> assumeNone(truth ? left : right, truth ? right : left, truth ? 0 : 1);
      case "Equal" -> {
        if (truth) {
          assumeNone(left, right, 0);
          assumeNone(right, left, 0);
        }
      }
      default -> {
        if (!truth && !isBit(value)) {
          assumeNone(value);
        }
      }
    }
  }

  /** {@code count} is at most 0, if {@code bound} is the constant that says so. */
  private void assumeNone(String count, String bound, long wanted) {
    boolean says =
        graph
            .integers(bound)
            .filter(values -> values.length == 1 && values[0] == wanted)
            .isPresent();
    if (says) {
      assumeNone(count);
    }
  }

  /** {@code count} is at most 0: something that is counted is not there. */
  private void assumeNone(String count) {
    if (isBit(count)) {
      assume(count, false);
      return;
    }
    Optional<Node> producer = graph.producer(count).filter(node -> node.domain().isEmpty());
    if (producer.isEmpty()) {
      return;
    }
    String counted = producer.get().input(0);
    switch (producer.get().opType()) {
      case "Size", "Shape" -> assumeEmpty(counted);
      case "Gather", "ReduceProd", "Slice" ->
          graph.producer(counted, "Shape").ifPresent(shape -> assumeEmpty(shape.input(0)));
      case "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze" -> assumeNone(counted);
      case "ReduceSum", "ReduceMax" -> {
        if (isBit(counted)) {
          assume(counted, false);
        }
      }
      default -> {}
    }
  }

  /** What has no elements was made from something that has none, where nothing was left out. */
  private void assumeEmpty(String value) {
    if (!empty.add(value)) {
      return;
    }
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    if (producer.isEmpty()) {
      return;
    }
    Node node = producer.get();
    if (RESHAPING.contains(node.opType())
        || (node.is("Gather") && graph.constant(node.input(1)).isPresent())
        || (node.is("Split") && graph.integers(node.input(1)).filter(this::allSome).isPresent())) {
      assumeEmpty(node.input(0));
    } else if (node.is("NonZero")) {
      assume(node.input(0), false);
    }
  }

  private boolean allSome(long[] sizes) {
    for (long size : sizes) {
      if (size < 1) {
        return false;
      }
    }
    return true;
  }

  /** True for truth values, and for numbers that are 1 and 0 in their place. */
  private boolean isBit(String value) {
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    if (producer.isEmpty()) {
      return false;
    }
    Node node = producer.get();
    return COMPARING.contains(node.opType())
        || (node.is("Cast") && node.intAttribute("to", 0) == ElementType.BOOL.code())
        || (MOVING.contains(node.opType()) && isBit(node.input(0)));
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
      return;
    }
    Set<String> others = new HashSet<>();
    passedOn(node).forEach(value -> others.addAll(same(value)));
    if (!others.isEmpty()) {
      same.put(node.output(), others);
    }
    if (makesZero(node)) {
      zero.addAll(node.outputs());
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
                    || Zeros.isZero(graph, known)
                    || (inside != graph && Zeros.isZero(inside, known)));
  }
}
