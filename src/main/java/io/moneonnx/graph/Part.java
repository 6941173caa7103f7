package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A part of a constant, cut out of one of its axes by a node with constant bounds.
 *
 * <pre>{@code
 * row  = Gather (stack [experts, ...], 5)
 * row  = Slice (stack [experts, ...], [5], [6], [0])
 * part = Slice (joined [experts * inner, ...], [5 * inner], [6 * inner], [0])
 * }</pre>
 *
 * @param whole what it is cut out of
 * @param dims shape of the part as it is cut out: a {@code Gather} takes the axis away
 */
public record Part(Node node, String whole, Range range, List<Long> dims) {
  /** So many indices of an axis, from one to before another. */
  public record Range(int axis, long from, long to) {
    public int size() {
      return Math.toIntExact(to - from);
    }
  }

  /** What {@code node} cuts out of a weight; empty for all else, integers that shapes are too. */
  public static Optional<Part> of(Graph graph, Node node) {
    return graph
        .constant(node.input(0))
        .filter(tensor -> tensor.rank() > 1 || tensor.type() != ElementType.INT64)
        .flatMap(tensor -> of(graph::constant, node, tensor.dims()));
  }

  /**
   * What {@code node} cuts out of a value.
   *
   * @param dims shape of that value
   */
  public static Optional<Part> of(
      Function<String, Optional<Tensor>> constants, Node node, List<Long> dims) {
    Optional<Range> range =
        node.is("Gather")
            ? gathered(constants, node, dims)
            : node.is("Slice") ? sliced(constants, node, dims) : Optional.empty();
    return range.map(
        found -> {
          List<Long> cut = new ArrayList<>(dims);
          if (node.is("Slice")) {
            cut.set(found.axis(), found.to() - found.from());
          } else {
            cut.remove(found.axis());
            cut.addAll(found.axis(), constants.apply(node.input(1)).orElseThrow().dims());
          }
          return new Part(node, node.input(0), found, List.copyOf(cut));
        });
  }

  private static Optional<Range> gathered(
      Function<String, Optional<Tensor>> constants, Node gather, List<Long> dims) {
    int axis = axis(gather.intAttribute("axis", 0), dims);
    return number(constants, gather.input(1))
        .filter(index -> axis >= 0 && index >= -dims.get(axis) && index < dims.get(axis))
        .map(index -> index < 0 ? index + dims.get(axis) : index)
        .map(index -> new Range(axis, index, index + 1));
  }

  private static Optional<Range> sliced(
      Function<String, Optional<Tensor>> constants, Node slice, List<Long> dims) {
    Optional<Long> from = number(constants, slice.input(1));
    Optional<Long> to = number(constants, slice.input(2));
    Optional<Long> along =
        slice.input(3).isEmpty() ? Optional.of(0L) : number(constants, slice.input(3));
    boolean isWhole =
        slice.input(4).isEmpty() || number(constants, slice.input(4)).equals(Optional.of(1L));
    int axis = along.map(given -> axis(given, dims)).orElse(-1);
    if (from.isEmpty() || to.isEmpty() || axis < 0 || !isWhole) {
      return Optional.empty();
    }
    long size = dims.get(axis);
    return Optional.of(new Range(axis, place(from.get(), size), place(to.get(), size)))
        .filter(range -> range.from() < range.to());
  }

  /** The axis counted from the front; -1 if there is no such axis. */
  private static int axis(long axis, List<Long> dims) {
    long counted = axis < 0 ? axis + dims.size() : axis;
    return counted >= 0 && counted < dims.size() ? (int) counted : -1;
  }

  private static long place(long bound, long size) {
    return Math.max(0, Math.min(size, bound < 0 ? bound + size : bound));
  }

  private static Optional<Long> number(Function<String, Optional<Tensor>> constants, String value) {
    return constants
        .apply(value)
        .filter(tensor -> tensor.type() == ElementType.INT64 && tensor.elements() == 1)
        .map(tensor -> tensor.toLongs()[0]);
  }
}
