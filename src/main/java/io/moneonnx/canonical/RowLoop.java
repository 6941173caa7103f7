package io.moneonnx.canonical;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ConstantShapes;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * A {@code Loop} over the rows of stacked weights that carries one value: a fixed number of rounds,
 * each of which gathers its own row.
 *
 * <pre>{@code
 * y = Loop <body = (i, _, before) => (_, after) {
 *       w = Gather <axis = 0> (stacked [rounds, ...], i)
 *       ...
 *     }> (rounds, true, start)
 * }</pre>
 *
 * @param graph what the loop stands in
 * @param rounds how many there are
 * @param stacked the weights of which each round gathers its row
 */
record RowLoop(Graph graph, Node node, Graph body, int rounds, Set<String> stacked) {
  private static final int INPUTS = 3;

  static Optional<RowLoop> of(Graph graph, Node node) {
    if (!node.is("Loop")
        || node.inputs().size() != INPUTS
        || node.outputs().size() != 1
        || !(node.attributes().get("body") instanceof Attribute.OfGraph body)
        || body.value().inputs().size() != INPUTS
        || body.value().outputs().size() != 2
        || !body.value().initializers().isEmpty()
        || !goesOn(graph, node, body.value())) {
      return Optional.empty();
    }
    Optional<long[]> rounds = graph.integers(node.input(0)).filter(values -> values.length == 1);
    return rounds
        .map(count -> count[0])
        .filter(count -> count > 0 && count <= Integer.MAX_VALUE)
        .map(
            count ->
                new RowLoop(
                    graph,
                    node,
                    body.value(),
                    Math.toIntExact(count),
                    stacked(
                        new ConstantShapes(graph),
                        body.value(),
                        body.value().inputs().get(0).name(),
                        count)))
        .filter(loop -> !loop.stacked().isEmpty());
  }

  /** True if no condition ends the loop early. */
  private static boolean goesOn(Graph graph, Node node, Graph body) {
    String given = body.inputs().get(1).name();
    String next = body.outputs().get(0).name();
    Optional<Node> made = body.producer(next);
    while (made.isPresent() && made.get().is("Identity")) {
      next = made.get().input(0);
      made = body.producer(next);
    }
    return (node.input(1).isEmpty() || isTrue(graph, node.input(1)))
        && (next.equals(given) || isTrue(body, next) || isTrue(graph, next));
  }

  private static boolean isTrue(Graph graph, String value) {
    return graph
        .constant(value)
        .filter(tensor -> tensor.type() == ElementType.BOOL)
        .filter(tensor -> tensor.elements() == 1 && tensor.toLongs()[0] != 0)
        .isPresent();
  }

  private static Set<String> stacked(ConstantShapes shapes, Graph body, String round, long rounds) {
    Set<String> found = new LinkedHashSet<>();
    for (Node node : body.nodes()) {
      if (gathersRow(node, round)
          && shapes
              .of(node.input(0))
              .filter(dims -> dims.size() > 1 && dims.get(0) == rounds)
              .isPresent()) {
        found.add(node.input(0));
      }
      node.subgraphs().forEach(nested -> found.addAll(stacked(shapes, nested, round, rounds)));
    }
    return found;
  }

  private static boolean gathersRow(Node node, String round) {
    return node.is("Gather") && node.intAttribute("axis", 0) == 0 && node.input(1).equals(round);
  }

  /** True if rounds can be left out of it: if what is stacked is constants, not made of them. */
  boolean canLeaveOut() {
    return stacked.stream().allMatch(stack -> graph.constant(stack).isPresent());
  }

  private String round() {
    return body.inputs().get(0).name();
  }

  private String carried() {
    return body.outputs().get(1).name();
  }

  /**
   * The loop as nodes one after the other.
   *
   * @param constant adds a constant, called like this, and returns its name
   * @param states takes the name of the carried value after each round, in order
   */
  List<Node> unrolled(
      UnaryOperator<String> fresh,
      BiFunction<String, Tensor, String> constant,
      List<String> states) {
    String goOn =
        constant.apply(
            body.inputs().get(1).name(),
            new Tensor.Inline(ElementType.BOOL, List.of(), ByteBuffer.wrap(new byte[] {1})));
    List<Node> nodes = new ArrayList<>();
    String before = node.input(2);
    for (int i = 0; i < rounds; i++) {
      String suffix = Integer.toString(i);
      String after = i == rounds - 1 ? node.output() : fresh.apply(carried() + suffix);
      Map<String, String> given = new HashMap<>();
      given.put(round(), constant.apply(round() + suffix, Tensor.scalar(i)));
      given.put(body.inputs().get(1).name(), goOn);
      given.put(body.inputs().get(2).name(), before);
      nodes.addAll(
          new Splice(name -> fresh.apply(name + suffix), given)
              .nodes(body.nodes(), List.of(carried()), List.of(after)));
      states.add(after);
      before = after;
    }
    return nodes;
  }

  /**
   * The loop with some of its rounds only, and of the stacked constants the rows that they gather.
   *
   * @param constant adds a constant, called like this, and returns its name
   */
  Node keeping(List<Integer> kept, BiFunction<String, Tensor, String> constant) {
    Map<String, String> rows = new HashMap<>();
    for (String stack : stacked) {
      Tensor all = graph.constant(stack).orElseThrow();
      rows.put(stack, constant.apply(stack + "/kept", all.rows(kept)));
    }
    Tensor ids = Tensor.vector(kept.stream().mapToLong(Integer::longValue).toArray());
    String id = constant.apply(round() + "/ids", ids);
    String number = id + "/kept";
    Node numbering =
        Node.of("Gather", List.of(id, round()), List.of(number), Map.of()).withName(number);
    List<Node> nodes = new ArrayList<>(List.of(numbering));
    nodes.addAll(renumbered(body, number, rows).nodes());
    Tensor count =
        Tensor.of(graph.constant(node.input(0)).orElseThrow().dims(), (long) kept.size());
    return node.withAttribute("body", new Attribute.OfGraph(body.withNodes(nodes)))
        .withInputs(
            List.of(constant.apply(round() + "/rounds", count), node.input(1), node.input(2)));
  }

  /** Rows are gathered by their new number, everything else sees the old one. */
  private Graph renumbered(Graph graph, String id, Map<String, String> rows) {
    return graph.withNodes(
        graph.nodes().stream()
            .map(node -> node.withSubgraphs(nested -> renumbered(nested, id, rows)))
            .map(
                node ->
                    gathersRow(node, round()) && rows.containsKey(node.input(0))
                        ? node.withInputs(List.of(rows.get(node.input(0)), round()))
                        : node.withInputs(
                            node.inputs().stream()
                                .map(read -> read.equals(round()) ? id : read)
                                .toList()))
            .toList());
  }
}
