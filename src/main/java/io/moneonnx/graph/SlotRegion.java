package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What a graph computes from rows of stacked constants that each slot gathers for itself, slot by
 * slot: row {@code s} of what comes out hangs on row {@code s} of what goes in, and on nothing
 * else.
 *
 * @param ids int64 {@code [slots]}, or {@code [slots, 1]}: which row each slot gathers
 * @param rows how many there are
 * @param nodes the gathers and what is computed from them, in order, up to the last product
 * @param gathers those of them that gather rows of stacked constants
 * @param given the values {@code [slots, ...]} that are read beside
 * @param output the value {@code [slots, ...]} that comes out
 */
record SlotRegion(
    String ids, long rows, List<Node> nodes, Set<Node> gathers, Set<String> given, String output) {
  private static final int LEAST_RANK = 3;

  /** Operators that compute each element from those that stand in the same place. */
  private static final Set<String> ELEMENTWISE =
      Set.of(
          "Abs",
          "Add",
          "Cast",
          "Clip",
          "Div",
          "Elu",
          "Erf",
          "Exp",
          "Gelu",
          "HardSigmoid",
          "HardSwish",
          "Identity",
          "LeakyRelu",
          "Log",
          "Max",
          "Min",
          "Mul",
          "Neg",
          "Pow",
          "Relu",
          "Sigmoid",
          "Softplus",
          "Sqrt",
          "Sub",
          "Tanh");

  /** Bytes that one slot gathers, in float32 too where they are stored in another type. */
  long slotBytes(Graph graph) {
    long bytes = 0;
    for (Node node : gathers) {
      Tensor bank = graph.constant(node.input(0)).orElseThrow();
      long elements = bank.elements() / rows;
      boolean isFloat = bank.type() == ElementType.FLOAT;
      bytes += bank.byteSize() / rows + (isFloat ? 0 : elements * Float.BYTES);
    }
    return bytes;
  }

  /** Finds all of a graph that are understood; others are left as they are. */
  static List<SlotRegion> all(Graph graph) {
    ValueRanks ranks = new ValueRanks(graph);
    Map<String, Set<Node>> gathersByIds = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      if (gathersRows(graph, ranks, node)) {
        gathersByIds
            .computeIfAbsent(root(graph, node.input(1)), ids -> new LinkedHashSet<>())
            .add(node);
      }
    }
    return gathersByIds.entrySet().stream()
        .flatMap(group -> new Finding(graph, ranks, group.getKey(), group.getValue()).of().stream())
        .toList();
  }

  private static boolean gathersRows(Graph graph, ValueRanks ranks, Node node) {
    boolean isGather =
        (node.is("Gather") && node.intAttribute("axis", 0) == 0)
            || (node.is("GatherND") && node.intAttribute("batch_dims", 0) == 0);
    return isGather
        && graph.constant(node.input(0)).filter(bank -> bank.rank() >= LEAST_RANK).isPresent()
        && graph.constant(node.input(1)).isEmpty()
        && ranks.of(node.output()).equals(ranks.of(node.input(0)));
  }

  /** Ids as they are before they are put into another shape. */
  private static String root(Graph graph, String ids) {
    Optional<Node> node = graph.producer(ids).filter(made -> made.is("Unsqueeze"));
    return node.map(made -> root(graph, made.input(0))).orElse(ids);
  }

  /** The search for one region. */
  private record Finding(Graph graph, ValueRanks ranks, String ids, Set<Node> gathers) {
    Optional<SlotRegion> of() {
      Set<String> gathered = gathers.stream().map(Node::output).collect(Collectors.toSet());
      Map<String, Node> pure = new HashMap<>();
      List<Node> products = new ArrayList<>();
      for (Node node : graph.nodes()) {
        if (gathers.contains(node)) {
          pure.put(node.output(), node);
        } else if (node.reads().stream().anyMatch(pure::containsKey)) {
          if (isProduct(node, pure)) {
            products.add(node);
          } else if (node.inputs().get(0).equals(onlyRead(node)) && keepsSlots(node)) {
            pure.put(node.output(), node);
          } else {
            return Optional.empty();
          }
        }
      }
      return region(gathered, pure, products);
    }

    /** What a node reads beside constants, if that is one value. */
    private String onlyRead(Node node) {
      List<String> read =
          node.reads().stream().filter(value -> graph.constant(value).isEmpty()).toList();
      return read.size() == 1 ? read.get(0) : "";
    }

    private boolean isProduct(Node node, Map<String, Node> pure) {
      return node.is("MatMul")
          && pure.containsKey(node.input(0)) != pure.containsKey(node.input(1))
          && ranks.of(node.input(0)).isPresent()
          && ranks.of(node.input(0)).equals(ranks.of(node.input(1)));
    }

    private Optional<SlotRegion> region(
        Set<String> gathered, Map<String, Node> pure, List<Node> products) {
      List<String> made = products.stream().map(Node::output).toList();
      Set<String> inside = Reach.forward(graph, made, value -> false);
      inside.retainAll(Reach.backward(graph, made, value -> gathered.contains(value)));
      inside.addAll(made);
      inside.addAll(pure.keySet());
      List<Node> nodes =
          graph.nodes().stream()
              .filter(node -> node.outputs().stream().anyMatch(inside::contains))
              .toList();
      Set<String> all =
          nodes.stream().flatMap(node -> node.outputs().stream()).collect(Collectors.toSet());
      boolean isUnderstood =
          nodes.stream()
              .allMatch(
                  node ->
                      gathers.contains(node)
                          || products.contains(node)
                          || pure.containsValue(node)
                          || (keepsSlots(node) && meetsItsLike(node)));
      List<String> leaving = all.stream().filter(value -> leaves(value, nodes)).toList();
      if (!isUnderstood || leaving.size() != 1 || !made.contains(leaving.get(0))) {
        return Optional.empty();
      }
      Set<String> given =
          nodes.stream()
              .filter(node -> !gathers.contains(node))
              .flatMap(node -> node.reads().stream())
              .filter(value -> !all.contains(value) && graph.constant(value).isEmpty())
              .collect(Collectors.toCollection(LinkedHashSet::new));
      long rows = graph.constant(gathers.iterator().next().input(0)).orElseThrow().dims().get(0);
      boolean isOneSize =
          gathers.stream()
              .allMatch(node -> graph.constant(node.input(0)).orElseThrow().dims().get(0) == rows);
      return isOneSize
          ? Optional.of(new SlotRegion(ids, rows, nodes, gathers, given, leaving.get(0)))
          : Optional.empty();
    }

    private boolean leaves(String value, List<Node> nodes) {
      return graph.isOutput(value)
          || graph.consumers(value).stream().anyMatch(reader -> !nodes.contains(reader));
    }

    /** Whether a node computes each slot by itself, where all it reads have slots in front. */
    private boolean keepsSlots(Node node) {
      if (!node.domain().isEmpty() || !node.subgraphs().isEmpty()) {
        return false;
      }
      return switch (node.opType()) {
        case "Transpose" ->
            node.attributes().get("perm") instanceof Attribute.OfInts perm
                && perm.values().indexOf(0L) == 0;
        case "Split", "Softmax" -> isBehindSlots(node, node.intAttribute("axis", 0));
        case "Squeeze", "Unsqueeze" -> areBehindSlots(node, node.input(1), node.output());
        case "Slice" ->
            areBehindSlots(node, node.input(3), node.input(0))
                && Stream.of(1, 2, 4)
                    .map(node::input)
                    .allMatch(bound -> bound.isEmpty() || graph.constant(bound).isPresent());
        default -> ELEMENTWISE.contains(node.opType());
      };
    }

    private boolean areBehindSlots(Node node, String axes, String ranked) {
      int rank = ranks.of(ranked).orElse(0);
      int more = node.is("Squeeze") ? ranks.of(node.input(0)).orElse(0) : rank;
      Optional<long[]> values = graph.integers(axes);
      return values.isPresent()
          && more > 0
          && LongStream.of(values.get()).allMatch(axis -> axis != 0 && axis != -more);
    }

    private boolean isBehindSlots(Node node, long axis) {
      int rank = ranks.of(node.input(0)).orElse(0);
      return rank > 1 && axis != 0 && axis != -rank;
    }

    /** All that a node reads have slots in front, or are the same for every slot. */
    private boolean meetsItsLike(Node node) {
      if (!ELEMENTWISE.contains(node.opType())) {
        return true;
      }
      int rank = ranks.of(node.output()).orElse(0);
      return rank > 1
          && node.reads().stream()
              .allMatch(
                  value ->
                      graph
                          .constant(value)
                          .map(tensor -> tensor.rank() < rank || tensor.dims().get(0) == 1)
                          .orElseGet(() -> ranks.of(value).orElse(0) == rank));
    }
  }
}
