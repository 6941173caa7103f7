package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A weight that a graph makes of constants by nothing but laying them out otherwise, casting and
 * dequantising them. Single indices of an axis are cut out of the constants; what is made of them
 * stays as it is, so weights keep the type in which they are stored.
 *
 * <pre>{@code
 * w = Reshape (Transpose (Cast (stored [experts, ...])))
 *     =>  w' = Reshape (Transpose (Cast (kept [kept experts, ...])))
 * }</pre>
 *
 * @param dims its shape
 */
public record WeightView(Graph graph, String value, List<Long> dims) {
  /** What is made of nothing but constants; empty for anything else. */
  public static Optional<WeightView> of(Graph graph, String value) {
    Optional<List<Long>> dims =
        graph
            .constant(value)
            .map(Tensor::dims)
            .or(() -> graph.producer(value).flatMap(node -> dims(graph, node)));
    return dims.map(found -> new WeightView(graph, value, found));
  }

  private static Optional<List<Long>> dims(Graph graph, Node node) {
    if (!node.domain().isEmpty()) {
      return Optional.empty();
    }
    Optional<List<Long>> first =
        switch (node.opType()) {
          case "Cast",
              "Concat",
              "DequantizeLinear",
              "Identity",
              "Reshape",
              "Squeeze",
              "Transpose",
              "Unsqueeze" ->
              of(graph, node.input(0)).map(WeightView::dims);
          default -> Optional.empty();
        };
    return first.flatMap(
        dims ->
            switch (node.opType()) {
              case "Transpose" ->
                  Optional.of(node.permutation(dims.size()).stream().map(dims::get).toList());
              case "Reshape" -> graph.integers(node.input(1)).flatMap(to -> reshaped(dims, to));
              case "Squeeze" -> axes(graph, node, dims.size()).map(gone -> without(dims, gone));
              case "Unsqueeze" -> unsqueezed(graph, node, dims);
              case "Concat" -> joined(graph, node, dims);
              default -> Optional.of(dims);
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

  /** The axes that a node names, of a value of this rank; empty if they are not constant. */
  private static Optional<Set<Integer>> axes(Graph graph, Node node, int rank) {
    return graph
        .integers(node.input(1))
        .map(
            axes -> {
              Set<Integer> found = new LinkedHashSet<>();
              Arrays.stream(axes).forEach(axis -> found.add((int) (axis < 0 ? axis + rank : axis)));
              return found;
            });
  }

  private static List<Long> without(List<Long> dims, Set<Integer> gone) {
    return IntStream.range(0, dims.size())
        .filter(axis -> !gone.contains(axis))
        .mapToObj(dims::get)
        .toList();
  }

  private static Optional<List<Long>> unsqueezed(Graph graph, Node node, List<Long> dims) {
    return graph
        .integers(node.input(1))
        .flatMap(
            added ->
                axes(graph, node, dims.size() + added.length)
                    .map(
                        axes -> {
                          List<Long> all = new ArrayList<>(dims);
                          axes.stream().sorted().forEach(axis -> all.add(axis, 1L));
                          return List.copyOf(all);
                        }));
  }

  private static Optional<List<Long>> joined(Graph graph, Node concat, List<Long> first) {
    int axis = Math.floorMod((int) concat.intAttribute("axis", 0), first.size());
    long size = first.get(axis);
    for (String input : concat.inputs().subList(1, concat.inputs().size())) {
      Optional<WeightView> part = of(graph, input);
      if (part.isEmpty()) {
        return Optional.empty();
      }
      size += part.get().dims().get(axis);
    }
    List<Long> all = new ArrayList<>(first);
    all.set(axis, size);
    return Optional.of(List.copyOf(all));
  }

  /**
   * Where an axis of a value comes from.
   *
   * @param input of the node that makes the value
   * @param axis of that input
   * @param each so many neighbouring indices of it make one of the value's
   */
  private record Origin(int input, int axis, int each) {
    List<Integer> indices(List<Integer> wanted) {
      return wanted.stream()
          .flatMap(index -> IntStream.range(0, each).mapToObj(i -> index * each + i))
          .toList();
    }
  }

  /**
   * Where an axis comes from, in each input that has it; empty if it is not known to stay apart.
   */
  private List<Origin> origins(Node node, int axis) {
    return switch (node.opType()) {
      case "Cast", "Identity" -> List.of(new Origin(0, axis, 1));
      case "Transpose" -> List.of(new Origin(0, node.permutation(dims.size()).get(axis), 1));
      case "Reshape" -> beforeReshape(node, axis).stream().toList();
      case "Squeeze" -> List.of(new Origin(0, beforeSqueeze(node, axis), 1));
      case "Unsqueeze" -> beforeUnsqueeze(node, axis).stream().toList();
      case "Concat" ->
          axis == Math.floorMod((int) node.intAttribute("axis", 0), dims.size())
              ? List.of()
              : IntStream.range(0, node.inputs().size())
                  .mapToObj(input -> new Origin(input, axis, 1))
                  .toList();
      case "DequantizeLinear" ->
          IntStream.range(0, node.inputs().size())
              .filter(input -> input == 0 || isAlong(node, input, axis))
              .mapToObj(input -> new Origin(input, scaleAxis(node, input, axis), 1))
              .toList();
      default -> List.of();
    };
  }

  private List<Long> input(Node node) {
    return of(graph, node.input(0)).orElseThrow().dims();
  }

  private Optional<Origin> beforeReshape(Node node, int axis) {
    List<Long> from = input(node);
    long before = Tensor.elements(dims.subList(0, axis));
    for (int i = 0; i < from.size(); i++) {
      long size = from.get(i);
      if (Tensor.elements(from.subList(0, i)) == before && size > 1) {
        return size % dims.get(axis) == 0
            ? Optional.of(new Origin(0, i, Math.toIntExact(size / dims.get(axis))))
            : Optional.empty();
      }
    }
    return Optional.empty();
  }

  private int beforeSqueeze(Node node, int axis) {
    int rank = input(node).size();
    Set<Integer> gone = axes(graph, node, rank).orElseThrow();
    return IntStream.range(0, rank).filter(a -> !gone.contains(a)).toArray()[axis];
  }

  private Optional<Origin> beforeUnsqueeze(Node node, int axis) {
    Set<Integer> added = axes(graph, node, dims.size()).orElseThrow();
    long before = added.stream().filter(a -> a < axis).count();
    return added.contains(axis)
        ? Optional.empty()
        : Optional.of(new Origin(0, axis - (int) before, 1));
  }

  /** Scales and zero points are of one size, of one for each index of an axis, or of blocks. */
  private boolean isAlong(Node dequantise, int input, int axis) {
    Optional<Tensor> scale = graph.constant(dequantise.input(input));
    if (scale.isEmpty()) {
      return !dequantise.input(input).isEmpty();
    }
    int scaled = Math.floorMod((int) dequantise.intAttribute("axis", 1), dims.size());
    int rank = scale.get().rank();
    return rank > 1 || (rank == 1 && scaled == axis && scale.get().elements() > 1);
  }

  private int scaleAxis(Node dequantise, int input, int axis) {
    boolean isVector =
        graph.constant(dequantise.input(input)).filter(scale -> scale.rank() == 1).isPresent();
    return input > 0 && isVector ? 0 : axis;
  }

  /** Why indices of this axis, {@code size} wide, cannot be cut out; empty if they can. */
  public Optional<String> objection(int axis, long size) {
    Optional<Tensor> constant = graph.constant(value);
    if (axis >= dims.size() || dims.get(axis) != size) {
      return Optional.of(
          "'%s' is %s; expected %d along axis %d".formatted(value, dims, size, axis));
    } else if (constant.isPresent()) {
      long apart = Tensor.elements(dims.subList(axis + 1, dims.size()));
      return apart * constant.get().type().bits() % 8 == 0
          ? Optional.empty()
          : Optional.of(
              "the indices of axis %d of '%s' do not begin at whole bytes".formatted(axis, value));
    }
    Node node = graph.producer(value).orElseThrow();
    List<Origin> origins = origins(node, axis);
    if (origins.isEmpty()) {
      return Optional.of(
          "the weight '%s' is made by %s '%s'".formatted(value, node.opType(), node.label()));
    }
    return origins.stream()
        .flatMap(origin -> objection(node, origin, size * origin.each()).stream())
        .findFirst();
  }

  private Optional<String> objection(Node node, Origin origin, long size) {
    String input = node.input(origin.input());
    return of(graph, input)
        .map(view -> view.objection(origin.axis(), size))
        .orElseGet(() -> Optional.of("the scale '%s' is no constant".formatted(input)));
  }

  /** The constants that have the axis; call it where there is no {@link #objection}. */
  public Set<String> constants(int axis) {
    if (graph.constant(value).isPresent()) {
      return Set.of(value);
    }
    Node node = graph.producer(value).orElseThrow();
    Set<String> found = new LinkedHashSet<>();
    for (Origin origin : origins(node, axis)) {
      found.addAll(part(node, origin).constants(origin.axis()));
    }
    return found;
  }

  /** The weight with these indices of the axis only, in this order. */
  public String keep(Ops ops, int axis, List<Integer> indices) {
    return keep(ops, axis, indices, new HashMap<>());
  }

  private String keep(Ops ops, int axis, List<Integer> indices, Map<List<Object>, String> cut) {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      Tensor tensor = constant.get();
      Tensor near =
          axis == 0 ? tensor : new Tensor.Inline(tensor.type(), tensor.dims(), tensor.bytes());
      return cut.computeIfAbsent(
          List.of(value, axis, indices), key -> ops.constant("kept", near.along(axis, indices)));
    }
    Node node = graph.producer(value).orElseThrow();
    List<String> inputs = new ArrayList<>(node.inputs());
    for (Origin origin : origins(node, axis)) {
      inputs.set(
          origin.input(),
          part(node, origin).keep(ops, origin.axis(), origin.indices(indices), cut));
    }
    if (node.is("Reshape")) {
      long[] shape = dims.stream().mapToLong(Long::longValue).toArray();
      shape[axis] = indices.size();
      inputs.set(1, ops.vector(shape));
    }
    return ops.apply(node, inputs, Map.of());
  }

  private WeightView part(Node node, Origin origin) {
    return of(graph, node.input(origin.input())).orElseThrow();
  }
}
