package io.moneonnx.moe;

import io.moneonnx.graph.ConstantShapes;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Part;
import io.moneonnx.graph.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A weight that a graph makes of constants by nothing but laying them out otherwise, cutting parts
 * of them, casting and dequantising them. Single indices of an axis are cut out of the constants;
 * what is made of them stays as it is, so weights keep the type in which they are stored.
 *
 * <pre>{@code
 * w = Reshape (Transpose (Cast (stored [experts, ...])))
 *     =>  w' = Reshape (Transpose (Cast (kept [kept experts, ...])))
 * }</pre>
 *
 * @param dims its shape
 */
public record WeightView(Graph graph, String value, List<Long> dims) {
  private static final Set<String> MOVING =
      Set.of("Cast", "Identity", "Squeeze", "Transpose", "Unsqueeze");

  /** What is made of nothing but constants; empty for anything else. */
  public static Optional<WeightView> of(Graph graph, String value) {
    return new ConstantShapes(graph).of(value).map(dims -> new WeightView(graph, value, dims));
  }

  /**
   * Where an axis of a value comes from.
   *
   * @param input of the node that makes the value
   * @param axis of that input
   * @param each so many neighbouring indices of it make one of the value's
   * @param from the first index of it that the value has
   */
  private record Origin(int input, int axis, int each, int from) {
    Origin(int input, int axis, int each) {
      this(input, axis, each, 0);
    }

    List<Integer> indices(List<Integer> wanted) {
      return wanted.stream()
          .flatMap(index -> IntStream.range(0, each).mapToObj(i -> from + index * each + i))
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
      case "Slice" ->
          List.of(new Origin(0, axis, 1, isCutAlong(node, axis) ? (int) cut(node).from() : 0));
      case "Gather" -> beforeGather(node, axis).stream().toList();
      case "Unsqueeze" -> beforeUnsqueeze(node, axis).stream().toList();
      case "Concat" ->
          axis == node.axis(0, dims.size())
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

  private Part.Range cut(Node node) {
    return Part.of(graph::constant, node, input(node)).orElseThrow().range();
  }

  /** True for a {@code Slice} that has some indices of this axis only. */
  private boolean isCutAlong(Node node, int axis) {
    return node.is("Slice") && cut(node).axis() == axis;
  }

  private Optional<Origin> beforeGather(Node node, int axis) {
    int gone = cut(node).axis();
    int more = dims.size() - input(node).size() + 1;
    return axis < gone
        ? Optional.of(new Origin(0, axis, 1))
        : axis < gone + more ? Optional.empty() : Optional.of(new Origin(0, axis - more + 1, 1));
  }

  private int beforeSqueeze(Node node, int axis) {
    int rank = input(node).size();
    Set<Integer> gone = axes(node, rank);
    return IntStream.range(0, rank).filter(a -> !gone.contains(a)).toArray()[axis];
  }

  private Set<Integer> axes(Node node, int rank) {
    return new ConstantShapes(graph).axes(node, rank).orElseThrow();
  }

  private Optional<Origin> beforeUnsqueeze(Node node, int axis) {
    Set<Integer> added = axes(node, dims.size());
    long before = added.stream().filter(a -> a < axis).count();
    return added.contains(axis)
        ? Optional.empty()
        : Optional.of(new Origin(0, axis - (int) before, 1));
  }

  /** Scales and zero points are of one size, of one for each index of an axis, or of blocks. */
  private boolean isAlong(Node dequantise, int input, int axis) {
    Optional<Tensor> scale = graph.constant(dequantise.input(input));
    if (scale.isEmpty()) {
      return dequantise.given(input).isPresent();
    }
    int rank = scale.get().rank();
    boolean isVector = rank == 1 && scale.get().elements() > 1;
    return rank > 1 || (isVector && dequantise.axis(1, dims.size()) == axis);
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
        .flatMap(
            origin -> {
              long all = isCutAlong(node, axis) ? input(node).get(axis) : size * origin.each();
              return objection(node, origin, all).stream();
            })
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

  /**
   * An axis of a constant.
   *
   * @param name of the constant
   */
  record Axis(String name, int axis) {}

  /**
   * The axis of the constant that an axis of this view is, where nothing but casts and axes that
   * are moved, added or taken away are between them.
   */
  Optional<Axis> stored(int axis) {
    if (graph.constant(value).isPresent()) {
      return Optional.of(new Axis(value, axis));
    }
    Node node = graph.producer(value).orElseThrow();
    return MOVING.contains(node.opType())
        ? origins(node, axis).stream()
            .findFirst()
            .flatMap(origin -> part(node, origin).stored(origin.axis()))
        : Optional.empty();
  }

  /**
   * The elements as they are read, where nothing but parts and other orders of one constant are
   * between; moves no bytes.
   */
  Optional<Tensor> folded() {
    Optional<Tensor> constant = graph.constant(value);
    if (constant.isPresent()) {
      return constant;
    }
    Node node = graph.producer(value).orElseThrow();
    Optional<Tensor> whole = of(graph, node.input(0)).flatMap(WeightView::folded);
    return switch (node.opType()) {
      case "Identity", "Reshape", "Squeeze", "Unsqueeze" ->
          whole.map(tensor -> tensor.reshaped(dims));
      case "Transpose" -> whole.map(tensor -> tensor.transposed(node.permutation(tensor.rank())));
      case "Slice", "Gather" ->
          whole.map(tensor -> tensor.along(cut(node).axis(), indices(cut(node))).reshaped(dims));
      default -> Optional.empty();
    };
  }

  private static List<Integer> indices(Part.Range range) {
    return IntStream.range((int) range.from(), (int) range.to()).boxed().toList();
  }

  /**
   * Why nothing but what this view reads can be copied with some indices of the axis: a part is cut
   * out of what others read too.
   */
  Optional<String> sharing(int axis) {
    if (graph.constant(value).isPresent()) {
      return Optional.empty();
    }
    Node node = graph.producer(value).orElseThrow();
    boolean isPart = node.is("Slice") || node.is("Gather");
    if (isPart && !isCutAlong(node, axis)) {
      return Part.of(graph, node).isPresent()
          ? Optional.empty()
          : Optional.of("'%s' is a part of '%s', no constant".formatted(value, node.input(0)));
    }
    return origins(node, axis).stream()
        .flatMap(origin -> part(node, origin).sharing(origin.axis()).stream())
        .findFirst();
  }

  /** The weight with these indices of the axis only, in this order. */
  public String keep(Ops ops, int axis, List<Integer> indices) {
    return keep(ops, axis, indices, false);
  }

  /** The same where parts of a constant do not keep the same indices: each is one of its own. */
  String keepAlone(Ops ops, int axis, List<Integer> indices) {
    return keep(ops, axis, indices, true);
  }

  private String keep(Ops ops, int axis, List<Integer> indices, boolean isAlone) {
    Optional<Tensor> constant = graph.constant(value).or(() -> ops.inPlaceOf(value));
    if (constant.isPresent()) {
      return kept(ops, constant.get(), axis, indices);
    }
    Node node = graph.producer(value).orElseThrow();
    Optional<Part> own = Part.of(graph, node).filter(part -> isAlone && !isCutAlong(node, axis));
    if (own.isPresent()) {
      return kept(ops, tensor(own.get()), axis, indices);
    }
    List<String> inputs = new ArrayList<>(node.inputs());
    for (Origin origin : origins(node, axis)) {
      inputs.set(
          origin.input(),
          part(node, origin).keep(ops, origin.axis(), origin.indices(indices), isAlone));
    }
    if (isCutAlong(node, axis)) {
      return inputs.get(0);
    } else if (node.is("Reshape")) {
      long[] shape = dims.stream().mapToLong(Long::longValue).toArray();
      shape[axis] = indices.size();
      inputs.set(1, ops.vector(shape));
    }
    return ops.apply(node, inputs, Map.of());
  }

  private String kept(Ops ops, Tensor tensor, int axis, List<Integer> indices) {
    return ops.kept(value, axis == 0 ? tensor : near(tensor), axis, indices);
  }

  /** Of what is cut along a later axis every row is read. */
  static Tensor near(Tensor tensor) {
    return new Tensor.Inline(tensor.type(), tensor.dims(), tensor.bytes());
  }

  private Tensor tensor(Part part) {
    List<Integer> indices = indices(part.range());
    Tensor whole = graph.constant(part.whole()).orElseThrow();
    int axis = part.range().axis();
    Tensor cut = (axis == 0 ? whole : near(whole)).along(axis, indices);
    return near(cut).reshaped(part.dims());
  }

  private WeightView part(Node node, Origin origin) {
    return of(graph, node.input(origin.input())).orElseThrow();
  }
}
