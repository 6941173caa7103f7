package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.WeightView.Axis;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A constant that stacks what all experts have of a kind, and the one node that reads it for a
 * block. Each expert keeps indices of its own of an axis, bytes moved:
 *
 * <pre>{@code
 * up [experts, hidden, inner]  =>  kept [experts, hidden, width]
 * }</pre>
 *
 * What casts it, turns it, or gathers experts of it for each row stays as it is.
 */
final class StackedWeight {
  /** Runs of so many bytes stay in their file; where they are shorter, all of it is read. */
  private static final long LONG_RUN = 512;

  private final Graph graph;
  private final Set<String> gathered;
  private final int experts;
  private final List<String> between = new ArrayList<>();
  private String value;
  private Node reader;
  private int index;
  private List<Integer> axes;
  private Optional<Tensor> folded = Optional.empty();

  private StackedWeight(
      Graph graph, Set<String> gathered, int experts, Node reader, int index, List<Integer> axes) {
    this.graph = graph;
    this.gathered = gathered;
    this.experts = experts;
    this.reader = reader;
    this.index = index;
    this.value = reader.input(index);
    this.axes = axes;
  }

  /** What was found, or why there is no such constant. */
  record Found(Optional<StackedWeight> weight, String objection) {}

  /**
   * The constant behind an input of a node.
   *
   * @param gathered values that are gathered of stacked constants by the ids of experts
   * @param axes of the input: that of the experts, or of the rows for which they are gathered, that
   *     of the neurons, and perhaps another
   */
  static Found of(
      Graph graph, Set<String> gathered, int experts, Node reader, int index, List<Integer> axes) {
    StackedWeight found = new StackedWeight(graph, gathered, experts, reader, index, axes);
    String objection = found.descend();
    return new Found(objection.isEmpty() ? Optional.of(found) : Optional.empty(), objection);
  }

  /** The order of all axes, of which two may be the ones that are followed. */
  private List<Integer> order(Node transpose) {
    return transpose.attributes().get("perm") instanceof Attribute.OfInts perm
        ? transpose.permutation(perm.values().size())
        : transpose.permutation(axes.size());
  }

  /** Goes up to the constant; says why it cannot, if so. */
  private String descend() {
    String given = value;
    while (WeightView.of(graph, value).isEmpty()) {
      Optional<Node> made = graph.producer(value);
      boolean isGathered = gathered.contains(value);
      boolean isTurned = made.filter(node -> node.is("Transpose")).isPresent();
      if (made.isEmpty() || !(isGathered || isTurned || made.get().is("Cast"))) {
        return "'%s' is no constant of all experts, nor gathered of one".formatted(given);
      }
      if (isTurned) {
        List<Integer> order = order(made.get());
        axes = axes.stream().map(order::get).toList();
      }
      next(made.get());
    }
    WeightView view = WeightView.of(graph, value).orElseThrow();
    List<Axis> stored = axes.stream().flatMap(axis -> view.stored(axis).stream()).toList();
    if (stored.size() == axes.size()) {
      axes = stored.stream().map(Axis::axis).toList();
      while (graph.constant(value).isEmpty()) {
        next(graph.producer(value).orElseThrow());
      }
    } else if (isReadWhole()) {
      folded = view.folded();
    }
    if (folded.isEmpty() && graph.constant(value).isEmpty()) {
      return "the weight '%s' is made of its constants otherwise than by casts and transposes"
          .formatted(given);
    }
    Optional<String> shared =
        between.stream()
            .filter(made -> graph.consumers(made).size() != 1 || graph.isOutput(made))
            .findFirst();
    boolean isStack = dims().get(axis(0)) == experts && Set.copyOf(axes).size() == axes.size();
    return shared
        .map("the weight '%s' is read several times"::formatted)
        .orElseGet(
            () ->
                isStack
                    ? ""
                    : "the weight '%s' is %s, expected %d experts along axis %d"
                        .formatted(value, dims(), experts, axis(0)));
  }

  /**
   * True for what is cut into experts where it is read, by a {@code Gather} or within an operator:
   * it may be replaced as it is made, and then be no constant's any more.
   */
  private boolean isReadWhole() {
    return !between.isEmpty() || reader.domain().equals("com.microsoft");
  }

  private void next(Node made) {
    between.add(value);
    reader = made;
    index = 0;
    value = made.input(0);
  }

  Node reader() {
    return reader;
  }

  /** Which input of the reader the constant is. */
  int index() {
    return index;
  }

  String name() {
    return value;
  }

  List<Long> dims() {
    return tensor().dims();
  }

  Tensor tensor() {
    return folded.orElseGet(() -> graph.constant(value).orElseThrow());
  }

  /** The axis of the constant that one of those that were asked for is. */
  int axis(int asked) {
    return axes.get(asked);
  }

  /**
   * The constant whose rows each have indices of their own of axis {@code axis(1)}.
   *
   * @param owners by row the expert that it is of
   */
  String keep(Ops ops, List<Integer> owners, List<List<Integer>> indices) {
    int last = Math.max(axis(0), axis(1));
    long run = tensor().type().bytes(Tensor.elements(dims().subList(last + 1, dims().size())));
    Tensor kept =
        run >= LONG_RUN && folded.isEmpty()
            ? tensor().alongEach(axis(0), owners, axis(1), indices)
            : axis(0) == 0
                ? oneByOne(owners, indices)
                : WeightView.near(tensor()).alongEach(axis(0), owners, axis(1), indices);
    return ops.inPlaceOf(value, "kept", kept);
  }

  /** What is read at once is what one expert has. */
  private Tensor oneByOne(List<Integer> owners, List<List<Integer>> indices) {
    List<Long> dims = dims(owners.size(), indices.get(0).size());
    ElementType type = tensor().type();
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(type.bytes(Tensor.elements(dims))));
    for (int row = 0; row < owners.size(); row++) {
      Tensor own = WeightView.near(tensor().rows(List.of(owners.get(row))));
      all.put(own.along(axis(1), indices.get(row)).bytes());
    }
    return new Tensor.Inline(type, dims, all.flip());
  }

  private List<Long> dims(int rows, int width) {
    List<Long> dims = new ArrayList<>(dims());
    dims.set(axis(0), (long) rows);
    dims.set(axis(1), (long) width);
    return dims;
  }

  /** The constant of so many rows with these values and its axis {@code axis(1)} so wide. */
  String of(Ops ops, int rows, int width, Values values) {
    List<Long> dims = dims(rows, width);
    float[] all = new float[Math.toIntExact(Tensor.elements(dims))];
    int[] place = new int[dims.size()];
    for (int i = 0; i < all.length; i++) {
      int rest = i;
      for (int at = dims.size() - 1; at >= 0; at--) {
        place[at] = rest % dims.get(at).intValue();
        rest /= dims.get(at).intValue();
      }
      all[i] = values.of(place[axis(0)], place[axis(1)], place[axis(2)]);
    }
    return ops.inPlaceOf(value, "down", Tensor.of(tensor().type(), dims, all));
  }

  /** What an expert has, row by row of {@code axis(2)}, {@code [axis(2), axis(1)]}. */
  float[] matrix(int expert) {
    List<Long> dims = dims();
    float[] stored = WeightView.near(tensor().along(axis(0), List.of(expert))).toFloats();
    int columns = dims.get(axis(1)).intValue();
    boolean isRowFirst = axis(2) < axis(1);
    float[] rows = new float[stored.length];
    for (int i = 0; i < rows.length; i++) {
      int row = i / columns;
      int column = i % columns;
      rows[i] = isRowFirst ? stored[i] : stored[column * (rows.length / columns) + row];
    }
    return rows;
  }

  /** What a row has at an index of {@code axis(1)} and one of {@code axis(2)}. */
  interface Values {
    float of(int row, int first, int second);
  }
}
