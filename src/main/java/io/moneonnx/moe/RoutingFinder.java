package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
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
 * with a constant weight, the router, through nothing but elementwise, softmax, reducing, gathering
 * and quantising operators. A router of integers, whose input is quantised as it comes, counts too.
 *
 * <p>A {@code TopK} whose ids nobody reads chooses too where scores are compared with its values.
 *
 * <p>A choice that a later choice of the same router depends on (groups of experts, the first of
 * two {@code ArgMax}es) is a step of that later one.
 */
final class RoutingFinder {
  private static final Set<String> RESHAPING =
      Set.of(
          "Cast",
          "DequantizeLinear",
          "Flatten",
          "Identity",
          "QuantizeLinear",
          "Reshape",
          "Squeeze",
          "Unsqueeze");

  static final String THRESHOLD = "Threshold";

  private static final Set<String> PICKING =
      Set.of("Cast", "Expand", "Gather", "ReduceMin", "Reshape", "Slice", "Squeeze", "Unsqueeze");

  private static final Set<String> COMPARISONS =
      Set.of("Greater", "GreaterOrEqual", "Less", "LessOrEqual");

  private static final Set<String> CHOICES = Set.of("TopK", "ArgMax");

  private static final String FUSED_DOMAIN = "com.microsoft";

  /** Operators that choose within, by the scores that are their second input. */
  private static final Set<String> FUSED = Set.of("MoE", "QMoE");

  private final Graph graph;
  private final ScoreColumns columns;

  RoutingFinder(Graph graph) {
    this.graph = graph;
    this.columns = new ScoreColumns(graph);
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
        .filter(walk -> !steps.contains(walk.choice().made()))
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

  /** Experts whose scores are read by ids that a constant table has for each token id. */
  List<Refusal> byTable() {
    return graph.nodes().stream().flatMap(node -> byTable(node).stream()).toList();
  }

  private Optional<Refusal> byTable(Node picked) {
    Optional<Node> row =
        picked.is("GatherElements")
            ? graph.producer(beforeReshaping(picked.input(1)), "Gather")
            : Optional.empty();
    return row.flatMap(gather -> graph.constant(gather.input(0)))
        .filter(table -> !table.type().isFloating() && table.rank() == 2)
        .flatMap(
            table -> {
              String scores = picked.input(0);
              int topK = table.dims().get(1).intValue();
              return walk(chosen(picked.input(1), scores, topK, List.of(scores)))
                  .map(
                      walk ->
                          new Refusal(
                              BlockName.of(graph, walk.routing()),
                              ("experts are chosen by a table of token ids, '%s' %s read by '%s';"
                                      + " expected a choice by the scores of the router '%s'")
                                  .formatted(
                                      row.get().input(0),
                                      table.dims(),
                                      row.get().input(1),
                                      walk.routing().router())));
            });
  }

  /** Choices by scores which a product with a constant makes that is not read. */
  List<Refusal> byUnknownProduct() {
    return graph.nodes().stream().flatMap(node -> byUnknownProduct(node).stream()).toList();
  }

  private Optional<Refusal> byUnknownProduct(Node node) {
    return isFused(node)
        ? Optional.empty()
        : choice(node)
            .flatMap(
                choice ->
                    sources(choice)
                        .unknown()
                        .filter(unknown -> isProduct(unknown) && hasConstant(unknown))
                        .filter(unknown -> feedsComputation(choice.choice().value()))
                        .map(unknown -> unread(node, choice, unknown)));
  }

  private static Refusal unread(Node node, Chosen choice, Node product) {
    return new Refusal(
        node.label(),
        ("chooses %d by scores of %s '%s'; expected a router that is MatMul, Gemm, MatMulInteger or"
                + " MatMulNBits")
            .formatted(choice.topK(), product.opType(), product.label()));
  }

  private boolean hasConstant(Node node) {
    return node.inputs().stream().anyMatch(input -> graph.constant(input).isPresent());
  }

  /**
   * False for a choice that ends the graph, such as greedy decoding behind a language model, and
   * for scores that are but compared with their best: activations are cut like that too.
   */
  boolean looksRouted(Routing routing) {
    return !routing.isThreshold() && feedsComputation(routing.choice().value());
  }

  private boolean feedsComputation(String choice) {
    Set<String> before = Reach.backward(graph, List.of(choice), value -> false);
    Set<String> behind = Reach.forward(graph, List.of(choice), value -> false);
    return Reach.backward(graph, behind, before::contains).stream()
        .filter(value -> !before.contains(value))
        .flatMap(value -> graph.producer(value).stream())
        .anyMatch(RoutingFinder::multiplies);
  }

  private static boolean multiplies(Node node) {
    return isProduct(node)
        || node.subgraphs().stream()
            .anyMatch(body -> body.nodes().stream().anyMatch(RoutingFinder::multiplies));
  }

  private static boolean isProduct(Node node) {
    return List.of("MatMul", "Gemm", "Conv").stream().anyMatch(node.opType()::contains);
  }

  /**
   * A choice.
   *
   * @param made the output of the node that chooses
   * @param from what it chooses from
   */
  private record Chosen(String made, Choice choice, int topK, List<String> from) {}

  private record Walk(Chosen choice, Routing routing, Set<String> earlierChoices) {}

  /** True for an operator that chooses within. */
  static boolean isFused(Node node) {
    return node.domain().equals(FUSED_DOMAIN) && FUSED.contains(node.opType());
  }

  private static Chosen within(Node fused) {
    String scores = fused.input(1);
    int topK = (int) fused.intAttribute("k", 1);
    return new Chosen(
        fused.output(), new Choice.Hidden(scores, TieRule.LOWER_ID), topK, List.of(scores));
  }

  private static Chosen chosen(String indices, String scores, int topK, List<String> from) {
    return new Chosen(indices, new Choice.Indices(indices, scores), topK, from);
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
    String scores = topK.input(0);
    if (k.isEmpty()) {
      return Optional.empty();
    } else if (!graph.consumers(indices).isEmpty()) {
      return Optional.of(chosen(indices, scores, (int) k.get()[0], List.of(scores)));
    }
    return isThreshold(topK) && !graph.isOutput(indices)
        ? Optional.of(
            new Chosen(
                topK.output(),
                new Choice.Hidden(scores, TieRule.LOWER_ID),
                (int) k.get()[0],
                List.of(scores)))
        : Optional.empty();
  }

  /** True where the scores are compared with one of the best. */
  private boolean isThreshold(Node topK) {
    String best = topK.outputs().get(0);
    Set<String> least =
        Reach.forward(graph, List.of(best), value -> !value.equals(best) && !isPicked(value));
    String scores = beforeReshaping(topK.input(0));
    return least.stream()
        .flatMap(value -> graph.consumers(value).stream())
        .filter(node -> COMPARISONS.contains(node.opType()))
        .anyMatch(node -> isPair(node, 0, 1, least, scores) || isPair(node, 1, 0, least, scores));
  }

  private boolean isPair(Node node, int one, int other, Set<String> least, String scores) {
    return least.contains(node.input(one)) && beforeReshaping(node.input(other)).equals(scores);
  }

  private boolean isPicked(String value) {
    return graph.producer(value).filter(node -> PICKING.contains(node.opType())).isPresent();
  }

  /** Choices side by side, each among what those before it left. */
  private Optional<Chosen> severalBest(Node concat) {
    List<Chosen> parts = new ArrayList<>();
    for (String part : concat.inputs()) {
      Optional<Chosen> best =
          graph
              .producer(part)
              .filter(node -> CHOICES.contains(node.opType()))
              .flatMap(this::choice)
              .filter(chosen -> chosen.made().equals(part));
      if (best.isEmpty()) {
        return Optional.empty();
      }
      parts.add(best.get());
    }
    return Optional.of(
        chosen(
            concat.output(),
            parts.get(0).choice().scores(),
            parts.stream().mapToInt(Chosen::topK).sum(),
            parts.stream().map(Chosen::made).toList()));
  }

  /** The router that is found above the scores; empty if there is not exactly one. */
  private Optional<Walk> walk(Chosen choice) {
    Sources sources = sources(choice);
    Set<String> projections = sources.projections();
    return sources.unknown().isEmpty() && projections.size() == 1
        ? routing(choice, graph.producer(projections.iterator().next()).orElseThrow())
            .map(routing -> new Walk(choice, routing, sources.earlierChoices()))
        : Optional.empty();
  }

  /**
   * What scores come from.
   *
   * @param unknown the operator at which the walk ended, if there is one
   */
  private record Sources(
      Set<String> projections, Set<String> earlierChoices, Optional<Node> unknown) {}

  /** Walks up from the scores. */
  private Sources sources(Chosen choice) {
    Set<String> seen = new HashSet<>();
    Set<String> earlier = new LinkedHashSet<>();
    Set<String> projections = new LinkedHashSet<>();
    Set<Node> scales = new LinkedHashSet<>();
    Deque<String> pending = new ArrayDeque<>(choice.from());
    while (!pending.isEmpty()) {
      String value = pending.pop();
      Optional<Node> producer = graph.producer(value);
      if (!seen.add(value) || producer.isEmpty() || graph.constant(value).isPresent()) {
        continue;
      }
      Node node = producer.get();
      if (isProjection(node)) {
        projections.add(node.output());
      } else if (node.is("DynamicQuantizeLinear")) {
        scales.add(node);
      } else if (!RouterOperators.isSize(node)) {
        if (!RouterOperators.contain(node)) {
          return new Sources(projections, earlier, Optional.of(node));
        }
        if (CHOICES.contains(node.opType())) {
          earlier.addAll(node.outputs());
        }
        pending.addAll(node.inputs());
      }
    }
    projections.forEach(projection -> quantised(projection).ifPresent(scales::remove));
    return new Sources(projections, earlier, scales.stream().findFirst());
  }

  /** What quantises the input of a product of integers: the product is multiplied by its scale. */
  private Optional<Node> quantised(String product) {
    return graph
        .producer(product, "MatMulInteger")
        .flatMap(node -> graph.producer(node.input(0), "DynamicQuantizeLinear"));
  }

  private boolean isProjection(Node node) {
    if (isQuantised(node)) {
      return graph.constant(node.input(1)).isPresent();
    }
    return (node.is("MatMul") || node.is("Gemm") || quantised(node.output()).isPresent())
        && Weight.behind(graph, node.input(1)).filter(w -> w.dims().size() == 2).isPresent();
  }

  private static boolean isQuantised(Node node) {
    return node.domain().equals(FUSED_DOMAIN) && node.opType().equals("MatMulNBits");
  }

  private Optional<Routing> routing(Chosen choice, Node projection) {
    Weight weight = Weight.behind(graph, projection.input(1)).orElseThrow();
    int in = width(projection, weight, "K", 0);
    int width = width(projection, weight, "N", 1);
    int out = columns.of(choice.choice().scores(), projection, width).orElse(width);
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
            beforeReshaping(quantised(projection.output()).orElse(projection).input(0)),
            weight.initializer(),
            kind(choice)));
  }

  private String kind(Chosen chosen) {
    boolean isThreshold =
        chosen.choice() instanceof Choice.Hidden
            && graph.producer(chosen.made(), "TopK").isPresent();
    return isThreshold ? THRESHOLD : RouterKind.of(graph, chosen.choice().value());
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
