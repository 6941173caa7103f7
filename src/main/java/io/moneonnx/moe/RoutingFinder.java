package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the routing decisions of a graph: int64 indices chosen by a {@code TopK}, or by one or more
 * {@code ArgMax}es, or within a fused operator, from scores that come from exactly one projection
 * with a constant weight, the router, through nothing but elementwise, softmax, reducing and
 * gathering operators.
 *
 * <p>A choice that a later choice of the same router depends on (groups of experts, the first of
 * two {@code ArgMax}es) is a step of that later one.
 */
final class RoutingFinder {
  private static final Set<String> ROUTER_OPERATORS =
      Set.of(
          "Abs",
          "Add",
          "And",
          "ArgMax",
          "Cast",
          "CastLike",
          "Clip",
          "Concat",
          "ConstantOfShape",
          "Div",
          "Equal",
          "Exp",
          "Expand",
          "Flatten",
          "Gather",
          "GatherElements",
          "GatherND",
          "Greater",
          "GreaterOrEqual",
          "Identity",
          "Less",
          "LessOrEqual",
          "Log",
          "LogSoftmax",
          "Max",
          "Min",
          "Mul",
          "Neg",
          "Not",
          "Or",
          "Pow",
          "ReduceL1",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceSum",
          "Reshape",
          "ScatterElements",
          "ScatterND",
          "Sigmoid",
          "Slice",
          "Softmax",
          "Softplus",
          "Split",
          "Sqrt",
          "Squeeze",
          "Sub",
          "Tanh",
          "TopK",
          "Transpose",
          "Unsqueeze",
          "Where");
  private static final Set<String> RESHAPING =
      Set.of("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze");

  /** Sizes of activations say nothing about scores. */
  private static final Set<String> SIZES = Set.of("Shape", "Size");

  private static final Set<String> CHOICES = Set.of("TopK", "ArgMax");

  private static final String FUSED_DOMAIN = "com.microsoft";

  /** Operators that choose within, by the scores that are their second input. */
  private static final Set<String> FUSED = Set.of("MoE", "QMoE");

  private final Graph graph;

  RoutingFinder(Graph graph) {
    this.graph = graph;
  }

  /** Every routing decision, in graph order. */
  List<Routing> findAll() {
    List<Walk> walks = new ArrayList<>();
    for (Node node : graph.nodes()) {
      choice(node).flatMap(this::walk).ifPresent(walks::add);
    }
    Set<String> steps = new HashSet<>();
    walks.forEach(walk -> steps.addAll(walk.earlierChoices()));
    return walks.stream()
        .filter(walk -> !steps.contains(walk.routing().choice().value()))
        .map(Walk::routing)
        .toList();
  }

  /** Fused operators that choose by scores which come from no router. */
  List<Refusal> withoutRouter() {
    return graph.nodes().stream()
        .filter(node -> isFused(node) && walk(within(node)).isEmpty())
        .map(
            node ->
                new Refusal(
                    node.label(),
                    ("the scores '%s' that %s chooses by do not come from exactly one projection with"
                            + " a constant weight")
                        .formatted(node.input(1), node.opType())))
        .toList();
  }

  /**
   * What is chosen.
   *
   * @param from the values that the choice is made from
   */
  private record Chosen(Choice choice, int topK, List<String> from) {}

  private record Walk(Routing routing, Set<String> earlierChoices) {}

  private static boolean isFused(Node node) {
    return node.domain().equals(FUSED_DOMAIN) && FUSED.contains(node.opType());
  }

  private static Chosen within(Node fused) {
    String scores = fused.input(1);
    int topK = (int) fused.intAttribute("k", 1);
    return new Chosen(new Choice.Hidden(scores), topK, List.of(scores));
  }

  private static Chosen chosen(String indices, String scores, int topK, List<String> from) {
    return new Chosen(new Choice.Indices(indices, scores), topK, from);
  }

  private Optional<Chosen> choice(Node node) {
    if (isFused(node)) {
      return Optional.of(within(node));
    } else if (node.is("TopK") && node.intAttribute("largest", 1) == 1) {
      return bestK(node);
    } else if (node.is("ArgMax")) {
      String scores = node.input(0);
      return Optional.of(chosen(node.output(), scores, 1, List.of(scores)));
    } else if (node.is("Concat")) {
      return severalBest(node);
    }
    return Optional.empty();
  }

  private Optional<Chosen> bestK(Node topK) {
    String indices = topK.outputs().size() > 1 ? topK.outputs().get(1) : "";
    Optional<long[]> k = graph.integers(topK.input(1)).filter(values -> values.length == 1);
    if (indices.isEmpty() || k.isEmpty() || graph.consumers(indices).isEmpty()) {
      return Optional.empty();
    }
    String scores = topK.input(0);
    return Optional.of(chosen(indices, scores, (int) k.get()[0], List.of(scores)));
  }

  private Optional<Chosen> severalBest(Node concat) {
    List<String> from = new ArrayList<>();
    for (String part : concat.inputs()) {
      Optional<Node> best = graph.producer(part, "ArgMax");
      if (best.isEmpty()) {
        return Optional.empty();
      }
      from.add(part);
    }
    String scores = graph.producer(from.get(0)).orElseThrow().input(0);
    return Optional.of(chosen(concat.output(), scores, from.size(), from));
  }

  /** Walks up from the scores to the router; empty if there is not exactly one. */
  private Optional<Walk> walk(Chosen choice) {
    Set<String> seen = new HashSet<>();
    Set<String> earlier = new LinkedHashSet<>();
    Set<Node> projections = new LinkedHashSet<>();
    Deque<String> pending = new ArrayDeque<>(choice.from());
    while (!pending.isEmpty()) {
      String value = pending.pop();
      Optional<Node> producer = graph.producer(value);
      if (!seen.add(value) || producer.isEmpty() || graph.constant(value).isPresent()) {
        continue;
      }
      Node node = producer.get();
      if (isProjection(node)) {
        projections.add(node);
      } else if (!SIZES.contains(node.opType())) {
        if (!node.domain().isEmpty() || !ROUTER_OPERATORS.contains(node.opType())) {
          return Optional.empty();
        }
        if (CHOICES.contains(node.opType())) {
          earlier.addAll(node.outputs());
        }
        pending.addAll(node.inputs());
      }
    }
    return projections.size() == 1
        ? routing(choice, projections.iterator().next()).map(routing -> new Walk(routing, earlier))
        : Optional.empty();
  }

  private boolean isProjection(Node node) {
    if (isQuantised(node)) {
      return graph.constant(node.input(1)).isPresent();
    }
    return (node.is("MatMul") || node.is("Gemm"))
        && Weight.behind(graph, node.input(1)).filter(w -> w.dims().size() == 2).isPresent();
  }

  private static boolean isQuantised(Node node) {
    return node.domain().equals(FUSED_DOMAIN) && node.opType().equals("MatMulNBits");
  }

  private Optional<Routing> routing(Chosen choice, Node projection) {
    Weight weight = Weight.behind(graph, projection.input(1)).orElseThrow();
    int in = width(projection, weight, "K", 0);
    int out = width(projection, weight, "N", 1);
    boolean isHidden = choice.choice() instanceof Choice.Hidden;
    boolean chooses = choice.topK() >= 1 && choice.topK() <= out && out >= 2;
    if (!chooses && !isHidden) {
      return Optional.empty();
    }
    return Optional.of(
        new Routing(
            choice.choice(),
            choice.topK(),
            out,
            in,
            beforeReshaping(projection.input(0)),
            weight.initializer(),
            RouterKind.of(graph, choice.choice().value())));
  }

  /** The size of a weight {@code [in, out]} along an axis; packed ones tell it by an attribute. */
  private static int width(Node projection, Weight weight, String attribute, int axis) {
    if (isQuantised(projection)) {
      return (int) projection.intAttribute(attribute, 0);
    }
    boolean transposed = projection.is("Gemm") && projection.intAttribute("transB", 0) == 1;
    return weight.dims().get(transposed ? 1 - axis : axis).intValue();
  }

  private String beforeReshaping(String value) {
    String now = value;
    Optional<Node> producer = graph.producer(now);
    while (producer.isPresent()
        && producer.get().domain().isEmpty()
        && RESHAPING.contains(producer.get().opType())) {
      now = producer.get().input(0);
      producer = graph.producer(now);
    }
    return now;
  }
}
