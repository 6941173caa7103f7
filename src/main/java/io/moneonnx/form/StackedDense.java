package io.moneonnx.form;

import io.moneonnx.form.ExpertAxis.Edge;
import io.moneonnx.graph.Equation;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.BlockEnd;
import io.moneonnx.moe.ChangedIds;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.ExpertWeights;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.GateValues;
import io.moneonnx.moe.NeutralValues;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Every expert computes every token, all at once: their weights are stacked, and so is what they
 * compute.
 *
 * <pre>{@code
 * raw = FFN (x, weights [experts, ...])                  [experts, tokens, hidden]
 * y   = ReduceSum over experts (raw * matrix)            matrix [tokens, experts], transposed
 * }</pre>
 *
 * The axis of experts may lie elsewhere, the sum may be an {@code Einsum} or a {@code MatMul} that
 * weighs too, and the routing weights may multiply what the experts are given instead of what they
 * make. The axis may also begin where the outputs of separate experts are put side by side:
 *
 * <pre>{@code
 * raw = Concat <axis = 1> (raw_0, raw_1, ...)            [tokens, experts, hidden]
 * y   = MatMul (matrix [tokens, 1, experts], raw)
 * }</pre>
 *
 * <p>Removing experts cuts that axis wherever it begins:
 *
 * <pre>{@code
 * weights' [kept, ...], matrix' = Gather <axis = 1> (matrix, kept), Tile (x, [kept, 1]), ...
 * }</pre>
 */
final class StackedDense implements Form {
  private static final Set<String> LAYING_OUT =
      Set.of("Cast", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  private static final Set<String> WEIGHING = Set.of("Einsum", "MatMul", "Mul");
  private static final Set<String> SUMMING = Set.of("Einsum", "MatMul", "ReduceSum");

  private final Graph graph;
  private final NeutralValues neutral;
  private final ValueRanks ranks;
  private final Map<String, Node> sums;

  StackedDense(Graph graph) {
    this.graph = graph;
    neutral = new NeutralValues(graph);
    ranks = new ValueRanks(graph);
    sums =
        graph.nodes().stream()
            .filter(node -> SUMMING.contains(node.opType()) && node.domain().isEmpty())
            .collect(Collectors.toMap(Node::output, node -> node));
  }

  @Override
  public String name() {
    return "stacked-dense";
  }

  /** A sum over experts and the axis above it. */
  private record Sum(Node node, ExpertAxis axis) {}

  @Override
  public Recognition recognise(Routing routing) {
    GateValues gates = new GateValues(graph, neutral, routing);
    List<Sum> behind = sums(routing, gates);
    List<Sum> stacked = behind.stream().filter(sum -> sum.axis().hasExperts()).toList();
    if (stacked.isEmpty()) {
      return new Recognition.NotThisForm(
          behind.stream()
              .flatMap(sum -> sum.axis().objection().stream())
              .findFirst()
              .orElse("no sum over stacked experts depends on the routing decision"));
    } else if (stacked.size() > 1) {
      return new Recognition.Refused(
          "%d sums over stacked experts; expected one".formatted(stacked.size()));
    }
    Sum sum = stacked.get(0);
    Optional<String> objection = sum.axis().objection();
    return objection.isPresent()
        ? new Recognition.Refused(objection.get() + ChangedIds.note(graph, routing))
        : weighed(routing, gates, sum);
  }

  private List<Sum> sums(Routing routing, GateValues gates) {
    if (sums.isEmpty()) {
      return List.of();
    }
    BlockEnd end = new BlockEnd(graph, neutral, routing);
    Set<String> behind =
        Reach.forward(
            graph,
            List.of(routing.choice().value()),
            value -> isSum(value, gates) || end.isAt(value));
    List<Sum> found = new ArrayList<>();
    for (String value : behind) {
      if (isSum(value, gates)) {
        Node node = sums.get(value);
        ExpertAxis.above(node, graph, ranks, gates, routing.experts())
            .ifPresent(axis -> found.add(new Sum(node, axis)));
      }
    }
    return found;
  }

  /** A product sums over experts only where it weighs them. */
  private boolean isSum(String value, GateValues gates) {
    return sums.containsKey(value)
        && !gates.contains(value)
        && (!sums.get(value).is("MatMul") || gates.containsAny(sums.get(value).inputs()));
  }

  private Recognition weighed(Routing routing, GateValues gates, Sum sum) {
    Set<String> matrices =
        sum.axis().matrices().keySet().stream().map(Edge::value).collect(Collectors.toSet());
    List<Node> meetings = sum.axis().meetings();
    if (matrices.size() != 1 || meetings.size() != 1) {
      return new Recognition.Refused(
          "the stacked experts meet %d matrices of routing weights in %d places; expected one in one"
              .formatted(matrices.size(), meetings.size()));
    }
    String matrix = matrices.iterator().next();
    Node meeting = meetings.get(0);
    if (!WEIGHING.contains(meeting.opType())) {
      return new Recognition.Refused(
          "the routing weights '%s' meet the experts in '%s' (%s); expected a product"
              .formatted(matrix, meeting.label(), meeting.opType()));
    } else if (weighsOutputs(sum, meeting)) {
      return claim(routing, sum, new RoutingWeights.PerExpert(matrix), raw(sum, meeting, gates));
    } else if (!weighsInputs(sum, meeting)) {
      return new Recognition.Refused(
          "the routing weights '%s' meet the experts amid their computation, in '%s'"
              .formatted(matrix, meeting.label()));
    }
    StackedLayout.Raw.Visible summed = visible(sum, sum.node().input(0));
    if (summed.place().axis() != 0) {
      return new Recognition.Refused(
          "'%s' has the experts along axis %d; expected them in front where '%s' scales their inputs"
              .formatted(summed.value(), summed.place().axis(), matrix));
    }
    return claim(routing, sum, new RoutingWeights.OnInput(matrix), summed);
  }

  /** Between the product and the sum values are laid out otherwise at most. */
  private boolean weighsOutputs(Sum sum, Node meeting) {
    if (meeting.equals(sum.node())) {
      return true;
    }
    String value = sum.node().input(0);
    while (!meeting.outputs().contains(value)) {
      Optional<Node> producer =
          graph.producer(value).filter(node -> LAYING_OUT.contains(node.opType()));
      if (producer.isEmpty()) {
        return false;
      }
      value = producer.get().input(0);
    }
    return !sum.node().is("Einsum");
  }

  /** No weight of an expert lies above the product. */
  private boolean weighsInputs(Sum sum, Node meeting) {
    Set<String> above =
        Reach.backward(graph, meeting.outputs(), value -> !sum.axis().places().containsKey(value));
    return !sum.node().is("Einsum")
        && sum.axis().constants().keySet().stream()
            .map(Edge::node)
            .filter(node -> !node.equals(meeting))
            .noneMatch(node -> above.contains(node.output()));
  }

  private StackedLayout.Raw raw(Sum sum, Node meeting, GateValues gates) {
    List<Integer> others =
        IntStream.range(0, meeting.inputs().size())
            .filter(i -> !gates.contains(meeting.input(i)))
            .boxed()
            .toList();
    List<String> operands = others.stream().map(meeting::input).toList();
    if (!meeting.is("Einsum")) {
      return visible(sum, operands.get(0));
    }
    Equation equation = Equation.of(meeting).orElseThrow();
    List<String> axes = others.stream().map(i -> equation.operands().get(i)).toList();
    String letter = letter(sum, meeting, equation);
    return axes.size() == 1 && axes.get(0).replace(letter, "").equals(outputs(equation, letter))
        ? visible(sum, operands.get(0))
        : new StackedLayout.Raw.Inside(
            new Equation(axes, letter + outputs(equation, letter)), operands);
  }

  private static String outputs(Equation equation, String letter) {
    return equation.output().replace(letter, "");
  }

  private static String letter(Sum sum, Node meeting, Equation equation) {
    Edge edge =
        sum.axis().matrices().keySet().stream()
            .filter(e -> e.node().equals(meeting))
            .findFirst()
            .orElseThrow();
    String axes = equation.operands().get(edge.index());
    return axes.substring(axes.length() - 1);
  }

  private StackedLayout.Raw.Visible visible(Sum sum, String value) {
    return new StackedLayout.Raw.Visible(
        value, sum.axis().places().get(value), ranks.of(value).orElseThrow());
  }

  /** The weights of single experts whose outputs are put side by side. */
  private Set<String> ofEach(Node stack, Routing routing) {
    return ExpertWeights.of(
        graph,
        stack.inputs().stream()
            .map(raw -> Reach.backward(graph, List.of(raw), routing.input()::equals))
            .toList());
  }

  private Recognition claim(
      Routing routing, Sum sum, RoutingWeights routingWeights, StackedLayout.Raw raw) {
    ExpertAxis axis = sum.axis();
    String output = sum.node().output();
    List<String> begin = new ArrayList<>(axis.places().keySet());
    axis.stacks().forEach(stack -> begin.addAll(stack.inputs()));
    Optional<String> leak = ClosedRegion.leak(graph, begin, output);
    if (leak.isPresent()) {
      return new Recognition.Refused(leak.get());
    } else if (raw instanceof StackedLayout.Raw.Visible visible
        && (visible.place() == null || visible.place().axis() == visible.rank() - 1)) {
      return new Recognition.Refused(
          "'%s', what the experts make, has no axis of experts before that of their outputs"
              .formatted(visible.value()));
    }
    Set<String> weights =
        axis.constants().keySet().stream().map(Edge::value).collect(Collectors.toSet());
    axis.stacks().forEach(stack -> weights.addAll(ofEach(stack, routing)));
    StackedLayout layout = new StackedLayout(graph, routing, axis, raw, output);
    return new Recognition.Recognised(
        Claim.of(graph, routing, routingWeights, output, weights, layout.ffn(), layout));
  }
}
