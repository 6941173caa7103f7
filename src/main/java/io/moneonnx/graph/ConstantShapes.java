package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The shapes of values that a graph makes of constants by nothing but laying them out otherwise,
 * cutting, joining, casting and dequantising them: of weights, that is.
 */
public final class ConstantShapes {
  /** How many nodes a constant may be away. */
  private static final int STEPS = 128;

  private final Function<String, Optional<Tensor>> constants;
  private final Function<String, Optional<Node>> producers;
  private final Map<String, List<Long>> known = new HashMap<>();

  public ConstantShapes(Graph graph) {
    this(graph::constant, graph::producer);
  }

  /**
   * The shapes in a graph of which this much is known.
   *
   * @param constants the constant that a value is
   * @param producers the node that makes a value
   */
  public ConstantShapes(
      Function<String, Optional<Tensor>> constants, Function<String, Optional<Node>> producers) {
    this.constants = constants;
    this.producers = producers;
  }

  /** The shape of what is made of nothing but constants; empty for anything else. */
  public Optional<List<Long>> of(String value) {
    return of(value, STEPS);
  }

  private Optional<List<Long>> of(String value, int steps) {
    if (known.containsKey(value)) {
      return Optional.of(known.get(value));
    }
    Optional<List<Long>> dims =
        constants
            .apply(value)
            .map(Tensor::dims)
            .or(
                () ->
                    producers
                        .apply(value)
                        .filter(node -> node.domain().isEmpty() && steps > 0)
                        .flatMap(node -> made(node, steps - 1)));
    dims.ifPresent(found -> known.put(value, found));
    return dims;
  }

  private Optional<List<Long>> made(Node node, int steps) {
    Optional<List<Long>> first =
        switch (node.opType()) {
          case "Cast",
              "Concat",
              "DequantizeLinear",
              "Gather",
              "Identity",
              "Reshape",
              "Slice",
              "Squeeze",
              "Transpose",
              "Unsqueeze" ->
              of(node.input(0), steps);
          default -> Optional.empty();
        };
    return first.flatMap(
        dims ->
            switch (node.opType()) {
              case "Transpose" ->
                  Optional.of(node.permutation(dims.size()).stream().map(dims::get).toList());
              case "Reshape" -> integers(node).flatMap(to -> reshaped(dims, to));
              case "Squeeze" -> axes(node, dims.size()).map(gone -> without(dims, gone));
              case "Unsqueeze" -> unsqueezed(node, dims);
              case "Concat" -> joined(node, dims, steps);
              case "Gather", "Slice" -> Part.of(constants, node, dims).map(Part::dims);
              default -> Optional.of(dims);
            });
  }

  private Optional<long[]> integers(Node node) {
    return constants.apply(node.input(1)).flatMap(Tensor::integers);
  }

  /** The axes that a node names, of a value of this rank; empty if they are not constant. */
  public Optional<Set<Integer>> axes(Node node, int rank) {
    return integers(node)
        .map(
            axes -> {
              Set<Integer> found = new LinkedHashSet<>();
              for (long axis : axes) {
                if (axis < -rank || axis >= rank) {
                  throw new BadInputException(
                      "node '%s': axis %d, expected one of %d axes"
                          .formatted(node.label(), axis, rank));
                }
                found.add((int) (axis < 0 ? axis + rank : axis));
              }
              return found;
            });
  }

  private static Optional<List<Long>> reshaped(List<Long> dims, long[] target) {
    long known = 1;
    for (int i = 0; i < target.length; i++) {
      if (target[i] == 0 && i >= dims.size()) {
        return Optional.empty();
      }
      known *= target[i] > 0 ? target[i] : target[i] == 0 ? dims.get(i) : 1;
    }
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < target.length; i++) {
      shape.add(
          target[i] > 0
              ? target[i]
              : target[i] == 0 ? dims.get(i) : Tensor.elements(dims) / Math.max(known, 1));
    }
    return Tensor.elements(shape) == Tensor.elements(dims)
        ? Optional.of(List.copyOf(shape))
        : Optional.empty();
  }

  private static List<Long> without(List<Long> dims, Set<Integer> gone) {
    return IntStream.range(0, dims.size())
        .filter(axis -> !gone.contains(axis))
        .mapToObj(dims::get)
        .toList();
  }

  private Optional<List<Long>> unsqueezed(Node node, List<Long> dims) {
    return integers(node)
        .flatMap(added -> axes(node, dims.size() + added.length))
        .map(
            axes -> {
              List<Long> all = new ArrayList<>(dims);
              axes.stream().sorted().forEach(axis -> all.add(axis, 1L));
              return List.copyOf(all);
            });
  }

  private Optional<List<Long>> joined(Node concat, List<Long> first, int steps) {
    int axis = concat.axis(0, first.size());
    long size = first.get(axis);
    for (String input : concat.inputs().subList(1, concat.inputs().size())) {
      Optional<List<Long>> part = of(input, steps);
      if (part.isEmpty()) {
        return Optional.empty();
      } else if (part.get().size() != first.size()) {
        throw new BadInputException(
            "node '%s': joins shapes %s and %s".formatted(concat.label(), first, part.get()));
      }
      size += part.get().get(axis);
    }
    List<Long> all = new ArrayList<>(first);
    all.set(axis, size);
    return Optional.of(List.copyOf(all));
  }
}
