package io.moneonnx.moe;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Elementwise;
import io.moneonnx.graph.Equation;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.Ffn.Projection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The neurons of one expert: the channels of the last axis of whatever is computed between its
 * first projections and the last. They are followed from node to node; what is not known to keep
 * them apart, or names their number otherwise than in a constant, is an objection.
 */
final class ExpertNeurons {
  /** How neurons lie along an axis. */
  private enum Packing {
    /** A channel each. */
    SINGLE,
    /** All gates, then all ups. */
    HALVES,
    /** Gate and up by turns. */
    PAIRS;

    private static Packing of(Ffn.Kind kind) {
      return switch (kind) {
        case PLAIN, GATED -> SINGLE;
        case CONCATENATED -> HALVES;
        case INTERLEAVED -> PAIRS;
      };
    }

    private int channels(int neurons) {
      return this == SINGLE ? neurons : 2 * neurons;
    }

    /** The channels of these of {@code inner} neurons. */
    private List<Integer> channels(List<Integer> neurons, int inner) {
      return switch (this) {
        case SINGLE -> neurons;
        case HALVES ->
            Stream.concat(neurons.stream(), neurons.stream().map(neuron -> inner + neuron))
                .toList();
        case PAIRS ->
            neurons.stream().flatMap(neuron -> Stream.of(2 * neuron, 2 * neuron + 1)).toList();
      };
    }
  }

  /** Input {@code index} of a node, a weight that loses channels of an axis. */
  private record Cut(Node node, int index, int axis, Packing packing) {
    String value() {
      return node.input(index);
    }
  }

  /** Input {@code index} of a node, integers that follow from the number of neurons. */
  private record Size(Node node, int index, IntFunction<long[]> of) {}

  private final Graph graph;
  private final ValueRanks ranks;
  private final Ffn ffn;
  private final Map<String, Packing> packed = new HashMap<>();
  private final List<Cut> cuts = new ArrayList<>();
  private final List<Size> sizes = new ArrayList<>();
  private final Optional<String> objection;

  private ExpertNeurons(Graph graph, ValueRanks ranks, Ffn ffn) {
    this.graph = graph;
    this.ranks = ranks;
    this.ffn = ffn;
    this.objection =
        ffn.activations().isEmpty()
            ? Optional.of("its neurons are inside of an operator")
            : follow().or(this::last);
  }

  static ExpertNeurons of(Graph graph, ValueRanks ranks, Ffn ffn) {
    return new ExpertNeurons(graph, ranks, ffn);
  }

  boolean isWhole(NarrowExpert narrow) {
    return narrow.width() == ffn.inner();
  }

  Optional<String> objection(NarrowExpert narrow) {
    int last = narrow.neurons().get(narrow.width() - 1);
    if (last >= ffn.inner()) {
      return Optional.of("it has no neuron %d of %d".formatted(last, ffn.inner()));
    } else if (narrow.hidden() != ffn.hidden()) {
      return Optional.of(
          "its down projection has %d rows, expected %d".formatted(narrow.hidden(), ffn.hidden()));
    }
    return isWhole(narrow) ? Optional.empty() : objection;
  }

  /** From the first projections to what the last one reads. */
  private Optional<String> follow() {
    List<Projection> first = Stream.concat(ffn.gate().stream(), Stream.of(ffn.up())).toList();
    List<String> products = first.stream().map(Projection::product).toList();
    String last = ffn.down().product();
    Set<String> behind = Reach.forward(graph, products, last::equals);
    Set<String> leading = Reach.backward(graph, List.of(last), products::contains);
    Optional<String> found =
        first.stream().flatMap(projection -> first(projection).stream()).findFirst();
    for (Node node : graph.nodes()) {
      boolean isBehind = node.outputs().stream().anyMatch(behind::contains);
      if (found.isEmpty() && isBehind && !node.outputs().contains(last)) {
        boolean isBetween = node.outputs().stream().anyMatch(leading::contains);
        found =
            products.contains(node.output())
                ? Optional.empty()
                : isBetween ? between(node) : Optional.of(read(node));
      }
    }
    return found.or(
        () ->
            packed.keySet().stream()
                .filter(graph::isOutput)
                .map("'%s', between its projections, is an output of the model"::formatted)
                .findFirst());
  }

  private String read(Node node) {
    return "what is between its projections is read by %s too".formatted(text(node));
  }

  private static String text(Node node) {
    return "%s '%s'".formatted(node.opType(), node.label());
  }

  /** A projection whose product has neurons along its last axis. */
  private Optional<String> first(Projection projection) {
    Node node = reader(projection);
    Packing packing = Packing.of(ffn.kind());
    packed.put(projection.product(), packing);
    int weight = node.inputs().indexOf(projection.weight());
    Optional<String> misplaced =
        hasNeuronsLast(node, weight, projection.out(), false)
            ? cut(new Cut(node, weight, projection.out(), packing))
            : Optional.of("%s does not put its neurons last".formatted(text(node)));
    return misplaced.or(() -> node.is("Gemm") ? constant(node, 2, packing) : Optional.empty());
  }

  /**
   * True where the last axis of a product, or of what is multiplied, is that of the weight.
   *
   * @param axis of the weight
   */
  private static boolean hasNeuronsLast(Node node, int weight, int axis, boolean isSummed) {
    if (node.is("Einsum")) {
      Equation equation = Equation.of(node).orElseThrow();
      String others = isSummed ? equation.operands().get(1 - weight) : equation.output();
      return others.endsWith(equation.operands().get(weight).substring(axis, axis + 1));
    }
    boolean isPlain =
        Stream.of("transA", "transBatchA", "transBatchB")
            .allMatch(attribute -> node.intAttribute(attribute, 0) == 0);
    return weight == 1 && isPlain && !node.opType().equals("MatMulNBits");
  }

  /** An axis of a weight that is cut, unless there is an objection. */
  private Optional<String> cut(Cut cut) {
    Optional<WeightView> view = WeightView.of(graph, cut.value());
    if (view.isEmpty()) {
      return Optional.of("the weight '%s' is not made of constants alone".formatted(cut.value()));
    }
    cuts.add(cut);
    return unquantised(cut.value())
        .or(() -> view.get().objection(cut.axis(), cut.packing().channels(ffn.inner())))
        .or(() -> view.get().sharing(cut.axis()));
  }

  private Optional<String> unquantised(String weight) {
    Optional<Node> dequantised =
        Reach.backward(graph, List.of(weight), value -> false).stream()
            .flatMap(value -> graph.producer(value).stream())
            .filter(node -> node.is("DequantizeLinear"))
            .findFirst();
    ElementType stored = Weight.behind(graph, weight).orElseThrow().tensor().type();
    return dequantised
        .map(node -> "the weight '%s' is quantised: it is made by %s".formatted(weight, text(node)))
        .or(
            () ->
                stored.isFloating()
                    ? Optional.empty()
                    : Optional.of(
                        "the weight '%s' is stored as %s".formatted(weight, stored.text())));
  }

  /** A constant that is broadcast against neurons: one number, or one for each channel. */
  private Optional<String> constant(Node node, int index, Packing packing) {
    Optional<String> given = node.given(index);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    Optional<WeightView> view = WeightView.of(graph, given.get());
    List<Long> dims = view.map(WeightView::dims).orElse(List.of());
    if (view.isPresent() && (dims.isEmpty() || dims.get(dims.size() - 1) == 1)) {
      return Optional.empty();
    }
    return view.isEmpty()
        ? Optional.of(
            "%s reads '%s', which is no constant, beside its neurons"
                .formatted(text(node), given.get()))
        : cut(new Cut(node, index, dims.size() - 1, packing));
  }

  /** A node that keeps neurons apart. */
  private Optional<String> between(Node node) {
    Set<Packing> given =
        node.inputs().stream()
            .filter(packed::containsKey)
            .map(packed::get)
            .collect(Collectors.toSet());
    if (given.size() != 1) {
      return Optional.of("%s joins channels of different kinds".formatted(text(node)));
    }
    Packing packing = given.iterator().next();
    if (Elementwise.is(node)) {
      packed.put(node.output(), packing);
      return IntStream.range(0, node.inputs().size())
          .filter(i -> !packed.containsKey(node.input(i)))
          .boxed()
          .flatMap(i -> constant(node, i, packing).stream())
          .findFirst();
    }
    boolean isKnown =
        packed.containsKey(node.input(0))
            && switch (node.opType()) {
              case "Split" -> isSplit(node, packing);
              case "Slice" -> isSliced(node, packing);
              case "Gather" -> isGathered(node, packing);
              case "Reshape" -> isReshaped(node, packing);
              case "Squeeze", "Unsqueeze" -> isBesideLast(node);
              default -> false;
            };
    boolean isCutting = Set.of("Split", "Slice", "Gather").contains(node.opType());
    node.outputs().forEach(output -> packed.put(output, isCutting ? Packing.SINGLE : packing));
    return isKnown
        ? Optional.empty()
        : Optional.of("neurons are not known to stay apart in %s".formatted(text(node)));
  }

  /** Two halves of the last axis. */
  private boolean isSplit(Node node, Packing packing) {
    long[] halves = {ffn.inner(), ffn.inner()};
    Optional<long[]> given = node.given(1).map(sizes -> integers(sizes).orElse(new long[0]));
    given.ifPresent(sizes -> sizes(node, 1, kept -> new long[] {kept, kept}));
    return packing == Packing.HALVES
        && node.outputs().size() == 2
        && isLast(node.input(0), node.intAttribute("axis", 0))
        && given.map(sizes -> Arrays.equals(sizes, halves)).orElse(true);
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

  private boolean isLast(String value, long axis) {
    OptionalInt rank = ranks.of(value);
    return axis == -1 || (rank.isPresent() && axis == rank.getAsInt() - 1);
  }

  /** One of two halves, or every second channel. */
  private boolean isSliced(Node node, Packing packing) {
    int inner = ffn.inner();
    long from = number(node.input(1));
    long to = number(node.input(2));
    long step = node.given(4).map(this::number).orElse(1L);
    long end = Math.min(2L * inner, to < 0 ? to + 2L * inner : to);
    if (from < 0 || !isLast(node.input(0), number(node.input(3)))) {
      return false;
    } else if (packing == Packing.PAIRS) {
      return step == 2 && from <= 1 && end >= 2L * inner - 1 + from;
    }
    boolean isSecond = from == inner && end == 2L * inner;
    sizes(node, 1, kept -> new long[] {isSecond ? kept : 0});
    sizes(node, 2, kept -> new long[] {isSecond ? 2L * kept : kept});
    return packing == Packing.HALVES && step == 1 && (isSecond || (from == 0 && end == inner));
  }

  /** The one number of a vector; what no node can mean if there is none. */
  private long number(String value) {
    return integers(value)
        .filter(numbers -> numbers.length == 1)
        .map(numbers -> numbers[0])
        .orElse(Long.MIN_VALUE);
  }

  /** Every second channel, by its number. */
  private boolean isGathered(Node node, Packing packing) {
    long[] given = integers(node.input(1)).orElse(new long[0]);
    sizes(node, 1, kept -> Arrays.copyOf(given, kept));
    return packing == Packing.PAIRS
        && isLast(node.input(0), node.intAttribute("axis", 0))
        && (Arrays.equals(given, everySecond(0)) || Arrays.equals(given, everySecond(1)));
  }

  private long[] everySecond(int from) {
    return LongStream.range(0, ffn.inner()).map(neuron -> 2 * neuron + from).toArray();
  }

  /** Another shape that ends in all channels. */
  private boolean isReshaped(Node node, Packing packing) {
    long[] given = integers(node.input(1)).orElse(new long[] {0});
    int last = given.length - 1;
    sizes(
        node,
        1,
        kept -> {
          long[] shape = given.clone();
          shape[last] = packing.channels(kept);
          return shape;
        });
    return given[last] == packing.channels(ffn.inner());
  }

  private boolean isBesideLast(Node node) {
    OptionalInt before = ranks.of(node.input(0));
    long[] axes = integers(node.input(1)).orElse(new long[0]);
    if (before.isEmpty() || axes.length == 0) {
      return false;
    }
    int rank = before.getAsInt() + (node.is("Unsqueeze") ? axes.length : 0);
    return Arrays.stream(axes).allMatch(axis -> Math.floorMod(axis, rank) != rank - 1);
  }

  /** The projection that sums over the neurons. */
  private Optional<String> last() {
    Projection down = ffn.down();
    Node node = reader(down);
    long reads = node.inputs().stream().filter(packed::containsKey).count();
    int weight = node.inputs().indexOf(down.weight());
    if (packed.get(ffn.activations().orElseThrow()) != Packing.SINGLE || reads != 1) {
      return Optional.of("%s does not read one channel of each neuron".formatted(text(node)));
    } else if (!hasNeuronsLast(node, weight, down.in(), true)) {
      return Optional.of("%s does not sum over the last axis".formatted(text(node)));
    }
    return matrix(down);
  }

  private Node reader(Projection projection) {
    return graph.producer(projection.product()).orElseThrow();
  }

  private Optional<String> matrix(Projection down) {
    List<Long> dims = WeightView.of(graph, down.weight()).map(WeightView::dims).orElse(List.of());
    boolean isMatrix = Tensor.elements(dims) == (long) ffn.inner() * down.width();
    return isMatrix
        ? unquantised(down.weight())
        : Optional.of(
            "the weight '%s' is %s, expected a matrix of one expert"
                .formatted(down.weight(), dims));
  }

  /**
   * Leaves the expert these neurons.
   *
   * @param name of the expert, for people
   */
  void apply(Ops ops, NarrowExpert narrow, String name) {
    if (isWhole(narrow)) {
      return;
    }
    List<Integer> neurons = narrow.neurons();
    for (Cut cut : cuts) {
      WeightView view = WeightView.of(graph, cut.value()).orElseThrow();
      List<Integer> channels = cut.packing().channels(neurons, ffn.inner());
      set(ops, cut.node(), cut.index(), view.keepAlone(ops, cut.axis(), channels));
    }
    for (Size size : sizes) {
      ops.edit().setInput(size.node(), size.index(), ops.vector(size.of().apply(narrow.width())));
    }
    Node node = reader(ffn.down());
    set(ops, node, node.inputs().indexOf(ffn.down().weight()), refitted(ops, narrow, name));
  }

  /** What nothing else reads is redirected: then the node is still the exporter's own. */
  private void set(Ops ops, Node node, int index, String by) {
    String value = node.input(index);
    boolean isAlone =
        graph.consumers(value).size() == 1
            && Collections.frequency(node.inputs(), value) == 1
            && !graph.isOutput(value);
    if (isAlone) {
      ops.edit().redirect(value, by);
    } else {
      ops.edit().setInput(node, index, by);
    }
  }

  /** The down projection as its product reads it, stored in the type of the model's weight. */
  private String refitted(Ops ops, NarrowExpert narrow, String name) {
    Projection down = ffn.down();
    List<Long> dims = new ArrayList<>(WeightView.of(graph, down.weight()).orElseThrow().dims());
    dims.set(down.in(), (long) narrow.width());
    int hidden = narrow.hidden();
    float[] values = new float[hidden * narrow.width()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          down.in() < down.out()
              ? narrow.down(i % hidden, i / hidden)
              : narrow.down(i / narrow.width(), i % narrow.width());
    }
    ElementType stored = Weight.behind(graph, down.weight()).orElseThrow().tensor().type();
    ElementType read = ops.edit().type(down.weight()).orElse(stored);
    Tensor matrix = Tensor.of(stored, dims, values);
    requireFinite(name, matrix);
    requireFinite(name, Tensor.of(read, dims, values));
    return ops.cast(ops.constant("down", matrix), read);
  }

  private static void requireFinite(String name, Tensor matrix) {
    for (float value : matrix.toFloats()) {
      if (!Float.isFinite(value)) {
        throw new BadInputException(
            "%s: its down projection holds %s in %s, expected finite numbers"
                .formatted(name, value, matrix.type().text()));
      }
    }
  }
}
