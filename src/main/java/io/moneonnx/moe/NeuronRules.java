package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.Channels.Packing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.IntToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * What each operator does to an axis of neurons: where it lies behind it, and where the number of
 * neurons is written or follows from the shape of a value that has them.
 */
final class NeuronRules {
  /** Operators that compute numbers of shapes. */
  private static final Set<String> COUNTING =
      Set.of(
          "Add",
          "Cast",
          "Div",
          "Gather",
          "Identity",
          "Mul",
          "Reshape",
          "Slice",
          "Squeeze",
          "Sub",
          "Unsqueeze");

  /** Input {@code index} of a node, integers that follow from the number of neurons. */
  private record Size(Node node, int index, IntFunction<long[]> of) {}

  /** A number that the graph makes of shapes, and what it must come to. */
  private record Expected(Node node, String value, IntToLongFunction of) {}

  private final Graph graph;
  private final ValueRanks ranks;
  private final int experts;
  private final int inner;
  private final Map<String, Channels> packed = new HashMap<>();
  private final Set<String> shapes = new HashSet<>();
  private final List<Size> sizes = new ArrayList<>();
  private final List<Expected> expected = new ArrayList<>();

  /**
   * Values of a graph with blocks of so many experts.
   *
   * @param inner how many neurons each has
   */
  NeuronRules(Graph graph, ValueRanks ranks, int experts, int inner) {
    this.graph = graph;
    this.ranks = ranks;
    this.experts = experts;
    this.inner = inner;
  }

  /** The values that have neurons, as far as they have been followed. */
  Map<String, Channels> packed() {
    return packed;
  }

  /** True for the shape of a value with neurons, and what is computed of shapes alone. */
  boolean isShape(Node node) {
    boolean isCounted =
        node.outputs().size() == 1
            && COUNTING.contains(node.opType())
            && node.reads().stream()
                .allMatch(value -> shapes.contains(value) || graph.constant(value).isPresent());
    boolean isFound = node.is("Shape") || isCounted;
    if (isFound) {
      shapes.add(node.output());
    }
    return isFound;
  }

  /** How neurons lie in what a node makes of a value that has them; empty if not known. */
  Optional<Channels> behind(Node node, Channels channels) {
    if (!packed.containsKey(node.input(0))) {
      return Optional.empty();
    }
    return switch (node.opType()) {
      case "Split" -> split(node, channels);
      case "Slice" -> sliced(node, channels);
      case "Gather" -> gathered(node, channels);
      case "Reshape" -> reshaped(node, channels);
      case "Squeeze", "Unsqueeze" -> besides(node, channels);
      default -> Optional.empty();
    };
  }

  /** Two halves of the neurons' axis, or parts of another. */
  private Optional<Channels> split(Node node, Channels channels) {
    long axis = node.intAttribute("axis", 0);
    if (isBeside(node.input(0), axis, channels)) {
      return Optional.of(channels);
    }
    long[] halves = {inner, inner};
    Optional<long[]> given = node.given(1).map(sizes -> integers(sizes).orElse(new long[0]));
    given.ifPresent(found -> sizes(node, 1, kept -> new long[] {kept, kept}));
    return channels.packing() == Packing.HALVES
            && node.outputs().size() == 2
            && isNeurons(node.input(0), axis, channels)
            && given.map(found -> Arrays.equals(found, halves)).orElse(true)
        ? Optional.of(channels.single())
        : Optional.empty();
  }

  private void sizes(Node node, int index, IntFunction<long[]> of) {
    sizes.add(new Size(node, index, of));
  }

  private Optional<long[]> integers(String value) {
    return graph
        .constant(value)
        .filter(tensor -> tensor.type() == ElementType.INT64 && tensor.rank() == 1)
        .map(Tensor::toLongs);
  }

  /** The axis of a value, counted from the last, which is 1; 0 where that is not known. */
  private int fromLast(String value, long axis) {
    OptionalInt rank = ranks.of(value);
    return axis < 0 ? (int) -axis : rank.isPresent() ? rank.getAsInt() - (int) axis : 0;
  }

  private boolean isNeurons(String value, long axis, Channels channels) {
    return fromLast(value, axis) == channels.neurons();
  }

  boolean isBeside(String value, long axis, Channels channels) {
    int found = fromLast(value, axis);
    return found > 0 && found != channels.neurons() && found != channels.experts();
  }

  /** One of two halves, every second channel, or a part of another axis. */
  private Optional<Channels> sliced(Node node, Channels channels) {
    Optional<Long> along = only(node.input(3));
    if (along.isEmpty()) {
      return Optional.empty();
    } else if (isBeside(node.input(0), along.get(), channels)) {
      return Optional.of(channels);
    }
    long from = number(node.input(1), inner).orElse(-1L);
    long to = number(node.input(2), inner).orElse(0L);
    long step = node.given(4).flatMap(this::only).orElse(node.given(4).isPresent() ? 0L : 1L);
    long end = Math.min(2L * inner, to < 0 ? to + 2L * inner : to);
    if (from < 0 || !isNeurons(node.input(0), along.get(), channels)) {
      return Optional.empty();
    } else if (channels.packing() == Packing.PAIRS) {
      boolean isWhole = step == 2 && from <= 1 && end >= 2L * inner - 1 + from;
      return isWhole && only(node.input(1)).isPresent() && only(node.input(2)).isPresent()
          ? Optional.of(channels.single())
          : Optional.empty();
    }
    boolean isSecond = from == inner && end == 2L * inner;
    bound(node, 1, kept -> isSecond ? kept : 0);
    bound(node, 2, kept -> isSecond ? 2L * kept : kept);
    return channels.packing() == Packing.HALVES
            && step == 1
            && (isSecond || (from == 0 && end == inner))
        ? Optional.of(channels.single())
        : Optional.empty();
  }

  /** A bound of a slice: a constant that is changed, or what must follow by itself. */
  private void bound(Node node, int index, IntToLongFunction of) {
    if (only(node.input(index)).isPresent()) {
      sizes(node, index, kept -> new long[] {of.applyAsLong(kept)});
    } else {
      expected.add(new Expected(node, node.input(index), of));
    }
  }

  /** The one number of a constant vector. */
  private Optional<Long> only(String value) {
    return integers(value).filter(numbers -> numbers.length == 1).map(numbers -> numbers[0]);
  }

  /** A number that is constant, or that the graph computes of the number of channels. */
  private Optional<Long> number(String value, int width) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      return constant
          .filter(tensor -> tensor.elements() == 1)
          .flatMap(Tensor::integers)
          .map(numbers -> numbers[0]);
    } else if (!shapes.contains(value)) {
      return Optional.empty();
    }
    Node node = graph.producer(value).orElseThrow();
    return switch (node.opType()) {
      case "Gather", "Slice" -> size(node, width);
      case "Add", "Sub", "Mul", "Div" ->
          number(node.input(0), width)
              .flatMap(a -> number(node.input(1), width).flatMap(b -> computed(node, a, b)));
      case "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze" -> number(node.input(0), width);
      default -> Optional.empty();
    };
  }

  /** The number of channels, where that is what is cut out of the shape of a value. */
  private Optional<Long> size(Node part, int width) {
    Optional<Long> index = number(part.input(1), width);
    Optional<Long> end = part.is("Slice") ? only(part.input(2)) : index.map(at -> at + 1);
    Optional<String> of =
        graph
            .producer(part.input(0), "Shape")
            .filter(shape -> end.isPresent() && index.equals(end.map(behind -> behind - 1)))
            .filter(shape -> shape.attributes().isEmpty())
            .map(shape -> shape.input(0))
            .filter(packed::containsKey);
    return of.flatMap(
        value ->
            index
                .filter(axis -> isNeurons(value, axis, packed.get(value)))
                .map(axis -> (long) packed.get(value).packing().channels(width)));
  }

  private static Optional<Long> computed(Node node, long a, long b) {
    return switch (node.opType()) {
      case "Add" -> Optional.of(a + b);
      case "Sub" -> Optional.of(a - b);
      case "Mul" -> Optional.of(a * b);
      default -> b == 0 ? Optional.empty() : Optional.of(a / b);
    };
  }

  /** Every second channel, by its number. */
  private Optional<Channels> gathered(Node node, Channels channels) {
    long[] given = integers(node.input(1)).orElse(new long[0]);
    sizes(node, 1, kept -> Arrays.copyOf(given, kept));
    return channels.packing() == Packing.PAIRS
            && isNeurons(node.input(0), node.intAttribute("axis", 0), channels)
            && (Arrays.equals(given, everySecond(0)) || Arrays.equals(given, everySecond(1)))
        ? Optional.of(channels.single())
        : Optional.empty();
  }

  private long[] everySecond(int from) {
    return LongStream.range(0, inner).map(neuron -> 2 * neuron + from).toArray();
  }

  /** Another shape that ends in all channels; experts that are in front may stay there. */
  private Optional<Channels> reshaped(Node node, Channels channels) {
    long[] given = integers(node.input(1)).orElse(new long[] {0});
    int last = given.length - 1;
    Packing packing = channels.packing();
    sizes(
        node,
        1,
        kept -> {
          long[] shape = given.clone();
          shape[last] = packing.channels(kept);
          return shape;
        });
    int before = ranks.of(node.input(0)).orElse(0);
    boolean isInFront =
        channels.experts() > 0 && channels.experts() == before && given[0] == experts;
    return channels.neurons() == 1 && given[last] == packing.channels(inner)
        ? Optional.of(channels.at(1, isInFront && last > 0 ? given.length : 0))
        : Optional.empty();
  }

  /** Axes that are added or taken away beside the neurons'. */
  private Optional<Channels> besides(Node node, Channels channels) {
    long[] given = integers(node.input(1)).orElse(new long[0]);
    boolean isAdded = node.is("Unsqueeze");
    String named = isAdded ? node.output() : node.input(0);
    Set<Integer> axes =
        Arrays.stream(given).mapToObj(axis -> fromLast(named, axis)).collect(Collectors.toSet());
    if (axes.isEmpty() || axes.contains(0)) {
      return Optional.empty();
    } else if (isAdded) {
      return Optional.of(
          channels.at(added(axes, channels.neurons()), added(axes, channels.experts())));
    }
    return axes.contains(channels.neurons()) || axes.contains(channels.experts())
        ? Optional.empty()
        : Optional.of(channels.at(left(axes, channels.neurons()), left(axes, channels.experts())));
  }

  /** Where an axis is once these have been added. */
  private static int added(Set<Integer> axes, int axis) {
    int place = 0;
    for (int left = axis; left > 0; ) {
      place++;
      left -= axes.contains(place) ? 0 : 1;
    }
    return place;
  }

  /** Where an axis is once these have been taken away. */
  private static int left(Set<Integer> axes, int axis) {
    return axis - (int) axes.stream().filter(gone -> gone < axis).count();
  }

  /** Why what the graph computes of shapes does not follow; empty if it does. */
  Optional<String> unexpected(int width) {
    return expected.stream()
        .filter(
            size -> !number(size.value(), width).equals(Optional.of(size.of().applyAsLong(width))))
        .map(
            size ->
                "'%s', by which %s '%s' cuts, does not follow the number of neurons"
                    .formatted(size.value(), size.node().opType(), size.node().label()))
        .findFirst();
  }

  /** Lets the constants that follow from the number of neurons be those of this width. */
  void resize(Ops ops, int width) {
    for (Size size : sizes) {
      long[] kept = size.of().apply(width);
      if (!Arrays.equals(kept, integers(size.node().input(size.index())).orElseThrow())) {
        ops.edit().setInput(size.node(), size.index(), ops.vector(kept));
      }
    }
  }
}
