package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.GateValues;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Follows the axis of experts from the sum that takes it away up to where it comes from: stacked
 * constants, outputs of single experts, a matrix of routing weights, and shapes in which the number
 * of experts is written.
 *
 * <p>Every operator on the way must be known to keep experts apart. Where it is not, there is an
 * {@link #objection}.
 */
final class ExpertAxis {
  /**
   * Where the experts are in a value: along this axis; or, where {@code exact} is false, the
   * leading axis holds the equal parts of all experts one behind the other.
   */
  record Place(int axis, boolean exact) {
    Place at(int other) {
      return new Place(other, exact || other != axis);
    }
  }

  /** An input of a node. */
  record Edge(Node node, int index) {
    String value() {
      return node.input(index);
    }
  }

  /** A shape in which the size of an axis is {@code perExpert} times the number of experts. */
  record Size(TargetShape shape, int axis, long perExpert) {}

  private static final Set<String> UNCHANGED =
      Set.of("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  private final Graph graph;
  private final ValueRanks ranks;
  private final GateValues gates;
  private final int experts;
  private final Map<String, Place> places = new LinkedHashMap<>();
  private final Map<Edge, Integer> constants = new LinkedHashMap<>();
  private final List<Node> stacks = new ArrayList<>();
  private final Map<Edge, Size> sizes = new LinkedHashMap<>();
  private final Map<Edge, Place> matrices = new LinkedHashMap<>();
  private final List<Node> meetings = new ArrayList<>();
  private final Deque<String> pending = new ArrayDeque<>();
  private String objection = "";

  private ExpertAxis(Graph graph, ValueRanks ranks, GateValues gates, int experts) {
    this.graph = graph;
    this.ranks = ranks;
    this.gates = gates;
    this.experts = experts;
  }

  /** The axis that {@code sum} sums over; empty if that is no single constant axis of its input. */
  static Optional<ExpertAxis> above(
      Node sum, Graph graph, ValueRanks ranks, GateValues gates, int experts) {
    ExpertAxis found = new ExpertAxis(graph, ranks, gates, experts);
    ExpertAxisRules rules = new ExpertAxisRules(found, graph, ranks, gates, experts);
    if (!rules.begin(sum)) {
      return Optional.empty();
    }
    while (!found.pending.isEmpty()) {
      String value = found.pending.pop();
      rules.pass(graph.producer(value).orElseThrow(), value, found.places.get(value));
    }
    return Optional.of(found);
  }

  /** Why the experts are not understood to be kept apart; empty if they are. */
  Optional<String> objection() {
    return Optional.of(objection).filter(reason -> !reason.isEmpty());
  }

  /** The inputs that read stacked constants, with the axis of experts. */
  Map<Edge, Integer> constants() {
    return constants;
  }

  /** The nodes that put the outputs of single experts side by side, in the order of their ids. */
  List<Node> stacks() {
    return stacks;
  }

  /** True where something of each expert lies along the axis: stacked weights or outputs. */
  boolean hasExperts() {
    return !constants.isEmpty() || !stacks.isEmpty();
  }

  /** The inputs that read shapes in which the number of experts is written. */
  Map<Edge, Size> sizes() {
    return sizes;
  }

  /** The inputs that read matrices of routing weights, whose last axis is that of the experts. */
  Map<Edge, Place> matrices() {
    return matrices;
  }

  /** The values between the origins of the axis and the sum, and where their experts are. */
  Map<String, Place> places() {
    return places;
  }

  /** The nodes at which routing weights meet the experts' computation. */
  List<Node> meetings() {
    return meetings;
  }

  /** Goes on at an input in which the experts are at this place. */
  void follow(Node node, int index, Place place) {
    Edge edge = new Edge(node, index);
    String value = edge.value();
    if (graph.constant(value).isPresent()) {
      constant(edge, place);
    } else if (isMatrix(value)) {
      matrix(edge, place);
    } else if (graph.producer(value).isEmpty()) {
      object(
          "'%s' is given to the model; expected a constant or what is made of one"
              .formatted(value));
    } else {
      Place known = places.get(value);
      if (known == null || (known.axis() == place.axis() && place.exact() && !known.exact())) {
        places.put(value, place);
        pending.push(value);
      } else if (known.axis() != place.axis()) {
        object(
            "'%s' would have experts along axis %s and axis %s"
                .formatted(value, known.axis(), place.axis()));
      }
    }
  }

  private boolean isMatrix(String value) {
    return gates.contains(value)
        && graph.producer(value).filter(node -> UNCHANGED.contains(node.opType())).isEmpty();
  }

  private void constant(Edge edge, Place place) {
    List<Long> dims = graph.constant(edge.value()).orElseThrow().dims();
    if (place.axis() >= dims.size() || dims.get(place.axis()) != experts) {
      object(
          "the constant '%s' %s is read where %s experts were expected along axis %s"
              .formatted(edge.value(), dims, experts, place.axis()));
    } else {
      constants.put(edge, place.axis());
    }
  }

  private void matrix(Edge edge, Place place) {
    int rank = ranks.of(edge.value()).orElse(0);
    if (place.axis() == rank - 1) {
      matrices.put(edge, place);
    } else {
      object(
          "the routing weights '%s' do not have the experts along their last axis"
              .formatted(edge.value()));
    }
  }

  /** Tells of an input that reads a shape in which the number of experts is written. */
  void writes(Edge edge, Size size) {
    sizes.put(edge, size);
  }

  /** Tells of a node that has an input for each expert. */
  void joins(Node stack) {
    stacks.add(stack);
  }

  /** Tells of a node at which routing weights meet the experts' computation. */
  void meets(Node node) {
    meetings.add(node);
  }

  /** The first of these stands. */
  void object(String reason) {
    if (objection.isEmpty()) {
      objection = reason;
    }
  }
}
