package io.moneonnx.form;

import io.moneonnx.form.ExpertAxis.Edge;
import io.moneonnx.form.ExpertAxis.Place;
import io.moneonnx.form.ExpertAxis.Size;
import io.moneonnx.graph.Elementwise;
import io.moneonnx.graph.Equation;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.GateValues;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What each operator does to an axis of experts: in which inputs it lies, where its number is
 * written, and whether experts are kept apart at all.
 */
final class ExpertAxisRules {
  private final ExpertAxis walk;
  private final Graph graph;
  private final ValueRanks ranks;
  private final GateValues gates;
  private final int experts;

  ExpertAxisRules(ExpertAxis walk, Graph graph, ValueRanks ranks, GateValues gates, int experts) {
    this.walk = walk;
    this.graph = graph;
    this.ranks = ranks;
    this.gates = gates;
    this.experts = experts;
  }

  /**
   * Begins at a node that sums over the experts; false if it sums over no single constant axis of
   * its input.
   */
  boolean begin(Node sum) {
    return sum.is("Einsum") ? contracts(sum) : sum.is("MatMul") ? multiplies(sum) : reduces(sum);
  }

  /** A {@code MatMul} that weighs the experts and sums over them. */
  private boolean multiplies(Node sum) {
    OptionalInt left = ranks.of(sum.input(0));
    OptionalInt right = ranks.of(sum.input(1));
    if (left.orElse(0) < 3 || right.orElse(0) < 3) {
      return false; // a product with a weight: experts and tokens want an axis each
    }
    walk.follow(sum, 0, new Place(left.getAsInt() - 1, true));
    walk.follow(sum, 1, new Place(right.getAsInt() - 2, true));
    walk.meets(sum);
    return true;
  }

  private boolean reduces(Node sum) {
    OptionalInt rank = ranks.of(sum.input(0));
    Optional<long[]> axes = graph.integers(sum.input(1)).filter(a -> a.length == 1);
    if (sum.intAttribute("keepdims", 1) == 1 || rank.isEmpty() || axes.isEmpty()) {
      return false;
    }
    walk.follow(sum, 0, new Place(positive(axes.get()[0], rank.getAsInt()), true));
    return true;
  }

  /** An {@code Einsum} that weighs the experts and sums over them. */
  private boolean contracts(Node sum) {
    Optional<Equation> equation = Equation.of(sum);
    Optional<String> matrix =
        IntStream.range(0, sum.inputs().size())
            .filter(i -> gates.contains(sum.input(i)) && equation.isPresent())
            .mapToObj(i -> equation.get().operands().get(i))
            .findFirst();
    if (matrix.isEmpty() || matrix.get().isEmpty()) {
      return false;
    }
    String letter = matrix.get().substring(matrix.get().length() - 1);
    if (equation.get().output().contains(letter)) {
      return false;
    }
    followLetter(sum, equation.get(), letter);
    return true;
  }

  /** Follows the experts from {@code value}, which the node makes, into its inputs. */
  void pass(Node node, String value, Place place) {
    OptionalInt rank = ranks.of(value);
    if (rank.isEmpty()) {
      walk.object("the number of dimensions of '%s' is not known".formatted(value));
    } else if (place.axis() < 0 || place.axis() >= rank.getAsInt()) {
      walk.object(
          "'%s' has %d dimensions, and no axis %d".formatted(value, rank.getAsInt(), place.axis()));
    } else if (Elementwise.is(node)) {
      passBroadcast(
          node, place, rank.getAsInt(), IntStream.range(0, node.inputs().size()).toArray());
    } else if (!node.domain().isEmpty()) {
      unknown(node);
    } else {
      passOperator(node, place, rank.getAsInt());
    }
  }

  private void passOperator(Node node, Place place, int rank) {
    switch (node.opType()) {
      case "MatMul" -> passMatMul(node, place, rank);
      case "Einsum" -> passEinsum(node, place);
      case "Transpose" -> walk.follow(node, 0, place.at(node.permutation(rank).get(place.axis())));
      case "Reshape" -> passReshape(node, place, rank);
      case "Tile" -> passTile(node, place, rank);
      case "Expand" -> passExpand(node, place, rank);
      case "Unsqueeze" -> passUnsqueeze(node, place, rank);
      case "Squeeze" -> passSqueeze(node, place);
      case "Slice" -> passBeside(node, place, graph.integers(node.input(3)), rank, 1);
      case "Split" -> passBeside(node, place, attribute(node, "axis", 0), rank, 1);
      case "Softmax" -> passBeside(node, place, attribute(node, "axis", -1), rank, 1);
      case "Concat" -> passConcat(node, place, rank);
      case "DequantizeLinear" -> passDequantize(node, place, rank);
      default -> unknown(node);
    }
  }

  /** Inputs that are broadcast against each other. */
  private void passBroadcast(Node node, Place place, int rank, int... inputs) {
    boolean isFollowed = false;
    boolean hasGates = false;
    boolean hasOthers = false;
    for (int index : inputs) {
      String input = node.input(index);
      OptionalInt inputRank = ranks.of(input);
      if (!input.isEmpty() && inputRank.isEmpty()) {
        walk.object("the number of dimensions of '%s' is not known".formatted(input));
      } else if (!input.isEmpty()) {
        int axis = place.axis() - (rank - inputRank.getAsInt());
        if (axis >= 0 && !isOne(input, axis)) {
          walk.follow(node, index, new Place(axis, place.exact() || axis > 0));
          isFollowed = true;
          hasGates |= gates.contains(input);
        }
        hasOthers |= !gates.contains(input) && graph.constant(input).isEmpty();
      }
    }
    if (hasGates && hasOthers) {
      walk.meets(node);
    }
    if (!isFollowed) {
      walk.object(
          "no input of '%s' (%s) has an axis of experts".formatted(node.label(), node.opType()));
    }
  }

  private void passMatMul(Node node, Place place, int rank) {
    if (place.axis() < rank - 2) {
      passBroadcast(node, place, rank, 0, 1);
    } else if (place.axis() == rank - 2
        && ranks.of(node.input(0)).orElse(0) == rank
        && graph.constant(node.input(1)).isPresent()) {
      walk.follow(node, 0, place);
    } else {
      unknown(node);
    }
  }

  private void passEinsum(Node node, Place place) {
    Optional<Equation> equation = Equation.of(node);
    if (equation.isEmpty()) {
      unknown(node);
    } else {
      String letter = equation.get().output().substring(place.axis(), place.axis() + 1);
      followLetter(node, equation.get(), letter);
    }
  }

  private void followLetter(Node node, Equation equation, String letter) {
    boolean isFollowed = false;
    for (int i = 0; i < equation.operands().size(); i++) {
      int axis = equation.operands().get(i).indexOf(letter);
      if (axis >= 0) {
        walk.follow(node, i, new Place(axis, true));
        isFollowed = true;
      }
    }
    if (gates.containsAny(node.inputs()) && !gates.contains(node.output())) {
      walk.meets(node);
    }
    if (!isFollowed) {
      unknown(node);
    }
  }

  /**
   * Keeps the order of all elements: what was in equal parts, one for each expert, still is. Beside
   * the leading axis only the last one is followed, which routing weights have.
   */
  private void passReshape(Node node, Place place, int rank) {
    Optional<TargetShape> shape = TargetShape.of(graph, node.input(1), rank);
    int axis = place.axis();
    OptionalInt inputRank = ranks.of(node.input(0));
    if (shape.isEmpty() || inputRank.isEmpty() || shape.get().size(axis).isEmpty()) {
      walk.object("'%s' (Reshape) has a shape that is not understood".formatted(node.label()));
      return;
    }
    long size = shape.get().size(axis).getAsLong();
    boolean isLast = axis == rank - 1;
    if (size == experts || (axis == 0 && !place.exact() && size > 0 && size % experts == 0)) {
      if (axis == 0 || isLast) {
        walk.writes(new Edge(node, 1), new Size(shape.get(), axis, size / experts));
        walk.follow(
            node, 0, axis == 0 ? new Place(0, false) : new Place(inputRank.getAsInt() - 1, true));
        return;
      }
    } else if (axis == 0 && size == 0 && node.intAttribute("allowzero", 0) == 0) {
      walk.follow(node, 0, place);
      return;
    } else if (axis == 0 && !place.exact() && size == -1) {
      walk.follow(node, 0, place);
      return;
    }
    walk.object(
        "'%s' (Reshape) does not keep the experts along axis %s".formatted(node.label(), axis));
  }

  private void passTile(Node node, Place place, int rank) {
    Optional<TargetShape> repeats = TargetShape.of(graph, node.input(1), rank);
    if (repeats.isPresent() && repeats.get().is(place.axis(), 1)) {
      walk.follow(node, 0, place);
    } else if (repeats.isPresent()
        && repeats.get().is(place.axis(), experts)
        && (!place.exact() || isOne(node.input(0), place.axis()))) {
      walk.writes(new Edge(node, 1), new Size(repeats.get(), place.axis(), 1));
    } else {
      walk.object(
          "'%s' (Tile) does not repeat for each expert along axis %s"
              .formatted(node.label(), place.axis()));
    }
  }

  private void passExpand(Node node, Place place, int rank) {
    int inputRank = ranks.of(node.input(0)).orElse(rank);
    int length = graph.integers(node.input(1)).map(s -> s.length).orElse(rank);
    Optional<TargetShape> shape = TargetShape.of(graph, node.input(1), length);
    int axis = place.axis() - (rank - length);
    int inputAxis = place.axis() - (rank - inputRank);
    boolean isNew = inputAxis < 0 || isOne(node.input(0), inputAxis);
    if (shape.isPresent() && shape.get().is(axis, experts) && place.exact()) {
      walk.writes(new Edge(node, 1), new Size(shape.get(), axis, 1));
      if (!isNew) {
        walk.follow(node, 0, place.at(inputAxis));
      }
    } else if (!isNew && (axis < 0 || (shape.isPresent() && shape.get().is(axis, 1)))) {
      walk.follow(node, 0, place.at(inputAxis));
    } else {
      walk.object(
          "'%s' (Expand) does not spread over the experts along axis %s"
              .formatted(node.label(), place.axis()));
    }
  }

  private void passUnsqueeze(Node node, Place place, int rank) {
    Set<Integer> axes = axes(graph.integers(node.input(1)), rank);
    if (axes.isEmpty() || axes.contains(place.axis())) {
      unknown(node);
    } else {
      long before = axes.stream().filter(axis -> axis < place.axis()).count();
      walk.follow(node, 0, new Place(place.axis() - (int) before, place.exact()));
    }
  }

  private void passSqueeze(Node node, Place place) {
    OptionalInt rank = ranks.of(node.input(0));
    Set<Integer> axes = axes(graph.integers(node.input(1)), rank.orElse(0));
    int[] left = IntStream.range(0, rank.orElse(0)).filter(a -> !axes.contains(a)).toArray();
    if (axes.isEmpty() || place.axis() >= left.length) {
      unknown(node);
    } else {
      walk.follow(node, 0, new Place(left[place.axis()], place.exact()));
    }
  }

  /** Operators that work along these axes, and must not along that of the experts. */
  private void passBeside(Node node, Place place, Optional<long[]> along, int rank, int inputs) {
    Set<Integer> axes = axes(along, rank);
    if (axes.isEmpty() || axes.contains(place.axis())) {
      unknown(node);
    } else {
      IntStream.range(0, inputs).forEach(index -> walk.follow(node, index, place));
    }
  }

  /** Values that lie side by side begin the axis where there is one for each expert. */
  private void passConcat(Node node, Place place, int rank) {
    int axis = positive(node.intAttribute("axis", 0), rank);
    if (axis == place.axis() && place.exact() && node.inputs().size() == experts) {
      walk.joins(node);
    } else {
      passBeside(node, place, attribute(node, "axis", 0), rank, node.inputs().size());
    }
  }

  private void passDequantize(Node node, Place place, int rank) {
    int axis = positive(node.intAttribute("axis", 1), rank);
    walk.follow(node, 0, place);
    for (int index = 1; index < node.inputs().size(); index++) {
      int scales = ranks.of(node.input(index)).orElse(0);
      if (scales == rank) {
        walk.follow(node, index, place);
      } else if (scales == 1 && axis == place.axis() && !isOne(node.input(index), 0)) {
        walk.follow(node, index, new Place(0, true));
      }
    }
  }

  /** True where the axis is known to be of size 1, and is broadcast. */
  private boolean isOne(String value, int axis) {
    if (graph.constant(value).isPresent()) {
      List<Long> dims = graph.constant(value).get().dims();
      return axis < dims.size() && dims.get(axis) == 1;
    }
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    int rank = ranks.of(value).orElse(0);
    return producer
        .map(
            node ->
                switch (node.opType()) {
                  case "Unsqueeze" -> axes(graph.integers(node.input(1)), rank).contains(axis);
                  case "Reshape" ->
                      TargetShape.of(graph, node.input(1), rank)
                          .filter(shape -> shape.is(axis, 1))
                          .isPresent();
                  case "Cast", "Identity" -> isOne(node.input(0), axis);
                  case "Transpose" -> isOne(node.input(0), node.permutation(rank).get(axis));
                  default -> false;
                })
        .orElse(false);
  }

  private static Optional<long[]> attribute(Node node, String name, long otherwise) {
    return Optional.of(new long[] {node.intAttribute(name, otherwise)});
  }

  private static Set<Integer> axes(Optional<long[]> axes, int rank) {
    return axes.map(
            values ->
                Arrays.stream(values)
                    .mapToObj(axis -> positive(axis, rank))
                    .collect(Collectors.toSet()))
        .orElse(Set.of());
  }

  private static int positive(long axis, int rank) {
    return (int) (axis < 0 ? axis + rank : axis);
  }

  private void unknown(Node node) {
    String why =
        node.is("DynamicQuantizeLinear")
            ? "quantises all experts by one scale, which those that are left would change"
            : "is not known to keep the experts apart";
    walk.object("'%s' (%s) %s".formatted(node.label(), node.opType(), why));
  }
}
