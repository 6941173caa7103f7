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
import io.moneonnx.moe.Channels.Packing;
import io.moneonnx.moe.Ffn.Projection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.IntFunction;
import java.util.function.IntToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The neurons of one expert, or of all whose neurons are in the same values: the channels of an
 * axis of whatever is computed between the first projections and the last. They are followed from
 * node to node; what is not known to keep them apart, or names their number otherwise than in a
 * constant or by the shape of such a value, is an objection.
 */
final class ExpertNeurons {
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

  /** Finds the neurons of the experts of one block. */
  record Finder(Graph graph, ValueRanks ranks, Set<String> gathered, int experts) {
    /** The neurons of one expert. */
    ExpertNeurons of(int expert, Ffn ffn) {
      return new ExpertNeurons(this, List.of(expert), List.of(ffn));
    }

    /** The neurons of all experts, each of which computes one of these, or all of them the one. */
    ExpertNeurons ofAll(List<Ffn> ffns) {
      return new ExpertNeurons(this, IntStream.range(0, experts).boxed().toList(), ffns);
    }
  }

  /**
   * Input {@code index} of a node, a weight that loses channels of an axis.
   *
   * @param stack the constant behind it, where it is of all experts
   */
  private record Cut(
      Node node, int index, int axis, Channels channels, Optional<StackedWeight> stack) {
    String value() {
      return node.input(index);
    }
  }

  /** Input {@code index} of a node, integers that follow from the number of neurons. */
  private record Size(Node node, int index, IntFunction<long[]> of) {}

  /** A number that the graph makes of shapes, and what it must come to. */
  private record Expected(Node node, String value, IntToLongFunction of) {}

  private final Graph graph;
  private final ValueRanks ranks;
  private final Finder finder;
  private final List<Integer> experts;
  private final List<Ffn> ffns;
  private final Ffn ffn;
  private final Map<String, Channels> packed = new HashMap<>();
  private final Set<String> shapes = new HashSet<>();
  private final List<Cut> cuts = new ArrayList<>();
  private final List<Size> sizes = new ArrayList<>();
  private final List<Expected> expected = new ArrayList<>();
  private final Set<String> stacks = new HashSet<>();
  private Optional<StackedWeight> down = Optional.empty();
  private final Optional<String> objection;

  private ExpertNeurons(Finder finder, List<Integer> experts, List<Ffn> ffns) {
    this.graph = finder.graph();
    this.ranks = finder.ranks();
    this.finder = finder;
    this.experts = experts;
    this.ffns = ffns;
    this.ffn = ffns.get(0);
    this.objection = unlike().or(() -> isHidden() ? inside() : follow().or(this::last));
  }

  /** The experts whose neurons are these. */
  List<Integer> experts() {
    return experts;
  }

  private boolean isHidden() {
    return ffn.activations().isEmpty();
  }

  /** True where one computation is that of all experts. */
  private boolean isStacked() {
    return ffns.size() < experts.size();
  }

  private int owner(int index) {
    return isStacked() ? Channels.ALL : experts.get(index);
  }

  private Optional<String> unlike() {
    boolean isAlike =
        ffns.stream()
            .allMatch(
                other ->
                    other.kind() == ffn.kind()
                        && other.inner() == ffn.inner()
                        && other.hidden() == ffn.hidden());
    return isAlike ? Optional.empty() : Optional.of("its experts do not compute alike");
  }

  /**
   * Why these experts cannot be given these neurons; empty if they can.
   *
   * @param removed experts that are removed behind the cut
   */
  Optional<String> objection(SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    if (narrow.isEmpty()) {
      return Optional.empty();
    }
    int width = narrow.get(narrow.firstKey()).width();
    Optional<String> misfit =
        narrow.entrySet().stream()
            .flatMap(expert -> misfit(expert.getKey(), expert.getValue()).stream())
            .findFirst()
            .or(() -> widths(narrow, removed));
    if (misfit.isPresent() || isWhole(narrow)) {
      return misfit;
    }
    Optional<String> found = objection.or(() -> unexpected(width));
    return experts.size() > 1 ? found : found.map(reason -> of(experts.get(0), reason));
  }

  private static String of(int expert, String reason) {
    return "expert %d: %s".formatted(expert, reason);
  }

  /** True where the first of these keeps all its neurons, and so do all others. */
  boolean isWhole(SortedMap<Integer, NarrowExpert> narrow) {
    return narrow.isEmpty() || narrow.get(narrow.firstKey()).width() == ffn.inner();
  }

  private Optional<String> misfit(int expert, NarrowExpert narrow) {
    int last = narrow.neurons().get(narrow.width() - 1);
    if (last >= ffn.inner()) {
      return Optional.of(of(expert, "it has no neuron %d of %d".formatted(last, ffn.inner())));
    } else if (narrow.hidden() != ffn.hidden()) {
      String reason = "its down projection has %d rows, expected %d";
      return Optional.of(of(expert, reason.formatted(narrow.hidden(), ffn.hidden())));
    }
    return Optional.empty();
  }

  /** Why experts that share their values are not given one width. */
  private Optional<String> widths(SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    List<Integer> missing =
        experts.stream().filter(e -> !removed.contains(e) && !narrow.containsKey(e)).toList();
    int first = narrow.firstKey();
    int width = narrow.get(first).width();
    if (!missing.isEmpty()) {
      return Optional.of(
          "its experts share one width: expected neurons of each, found none of expert %d"
              .formatted(missing.get(0)));
    }
    return narrow.entrySet().stream()
        .filter(expert -> expert.getValue().width() != width)
        .map(
            expert ->
                "its experts share one width: expected %d of expert %d, as of expert %d, found %d"
                    .formatted(width, expert.getKey(), first, expert.getValue().width()))
        .findFirst();
  }

  /** What the graph computes of shapes that does not follow. */
  private Optional<String> unexpected(int width) {
    return expected.stream()
        .filter(
            size -> !number(size.value(), width).equals(Optional.of(size.of().applyAsLong(width))))
        .map(
            size ->
                "'%s', by which %s cuts, does not follow the number of neurons"
                    .formatted(size.value(), text(size.node())))
        .findFirst();
  }

  /** The weights of an operator that computes the experts within. */
  private Optional<String> inside() {
    Optional<String> first =
        Stream.concat(ffn.gate().stream(), Stream.of(ffn.up()))
            .flatMap(projection -> inside(projection).stream())
            .findFirst();
    return first.or(() -> matrix(ffn.down(), Channels.ALL));
  }

  private Optional<String> inside(Projection projection) {
    Node node = reader(projection);
    Channels channels = new Channels(Packing.of(ffn.kind()), 1, 0, Channels.ALL);
    int weight = node.inputs().indexOf(projection.weight());
    return stacked(node, weight, List.of(0, projection.out()), channels)
        .or(
            () ->
                projection
                    .bias()
                    .flatMap(
                        bias ->
                            stacked(node, node.inputs().indexOf(bias), List.of(0, 1), channels)));
  }

  /** From the first projections to what the last ones read. */
  private Optional<String> follow() {
    List<String> products = new ArrayList<>();
    Optional<String> found = Optional.empty();
    for (int i = 0; i < ffns.size(); i++) {
      int owner = owner(i);
      List<Projection> first =
          Stream.concat(ffns.get(i).gate().stream(), Stream.of(ffns.get(i).up())).toList();
      first.forEach(projection -> products.add(projection.product()));
      found =
          found.or(
              () ->
                  first.stream()
                      .flatMap(projection -> first(projection, owner).stream())
                      .findFirst());
    }
    Set<String> first = Set.copyOf(products);
    Set<String> last = ffns.stream().map(each -> each.down().product()).collect(Collectors.toSet());
    Set<String> behind = Reach.forward(graph, first, last::contains);
    Set<String> leading = Reach.backward(graph, last, first::contains);
    for (Node node : graph.nodes()) {
      boolean isBehind = node.outputs().stream().anyMatch(behind::contains);
      if (found.isEmpty() && isBehind && node.outputs().stream().noneMatch(last::contains)) {
        boolean isBetween = node.outputs().stream().anyMatch(leading::contains);
        found =
            first.contains(node.output())
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

  /** A projection whose product has neurons along one axis. */
  private Optional<String> first(Projection projection, int owner) {
    Node node = reader(projection);
    int weight = node.inputs().indexOf(projection.weight());
    Packing packing = Packing.of(ffn.kind());
    int experts = owner == Channels.ALL ? 3 - projection.in() - projection.out() : -1;
    Optional<Equation> equation = Equation.of(node);
    int axis =
        equation.isPresent()
            ? letter(equation.get(), weight, projection.out(), equation.get().output())
            : multiplied(node, weight, projection);
    if (axis == 0 || (owner == Channels.ALL && experts < 0)) {
      return Optional.of("%s does not keep its neurons apart".formatted(text(node)));
    }
    boolean isGathered = owner == Channels.ALL && !isConstant(projection.weight());
    int along =
        experts < 0 || isGathered
            ? 0
            : equation.isPresent()
                ? letter(equation.get(), weight, experts, equation.get().output())
                : 3 - experts;
    Channels channels = new Channels(packing, axis, along, owner);
    packed.put(projection.product(), channels);
    Optional<String> cut =
        owner == Channels.ALL
            ? stacked(node, weight, List.of(experts, projection.out()), channels)
            : own(node, weight, projection.out(), channels);
    return cut.or(() -> node.is("Gemm") ? constant(node, 2, channels) : Optional.empty());
  }

  private boolean isConstant(String value) {
    return WeightView.of(graph, value).isPresent();
  }

  /** The axis of a term that an axis of an operand is, counted from the last; 0 if it has none. */
  private static int letter(Equation equation, int operand, int axis, String term) {
    String letters = equation.operands().get(operand);
    int at = axis < letters.length() ? term.indexOf(letters.charAt(axis)) : -1;
    return at < 0 ? 0 : term.length() - at;
  }

  /**
   * The axis of what is multiplied, or of the product, that is not summed away with the weight's,
   * counted from the last; 0 where that is not known.
   */
  private int multiplied(Node node, int weight, Projection projection) {
    boolean isPlain =
        Stream.of("transA", "transBatchA", "transBatchB")
            .allMatch(attribute -> node.intAttribute(attribute, 0) == 0);
    if (!isPlain || node.opType().equals("MatMulNBits")) {
      return 0;
    } else if (weight == 1) {
      return 1;
    }
    boolean isMatrix = ranks.of(node.input(1)).orElse(0) >= 2;
    return node.is("MatMul") && isMatrix && projection.out() < projection.in() ? 2 : 0;
  }

  /** An axis of a weight of one expert that is cut, unless there is an objection. */
  private Optional<String> own(Node node, int index, int axis, Channels channels) {
    Cut cut = new Cut(node, index, axis, channels, Optional.empty());
    Optional<WeightView> view = WeightView.of(graph, cut.value());
    if (view.isEmpty()) {
      return Optional.of("the weight '%s' is not made of constants alone".formatted(cut.value()));
    }
    cuts.add(cut);
    return unquantised(cut.value())
        .or(() -> view.get().objection(axis, channels.packing().channels(ffn.inner())))
        .or(() -> view.get().sharing(axis));
  }

  /**
   * An axis of a weight of all experts that is cut, unless there is an objection.
   *
   * @param axes that of the experts, and that which is cut
   */
  private Optional<String> stacked(Node node, int index, List<Integer> axes, Channels channels) {
    StackedWeight.Found found = stack(node, index, axes);
    if (found.weight().isEmpty()) {
      return Optional.of(found.objection());
    }
    StackedWeight stack = found.weight().get();
    int size = channels.packing().channels(ffn.inner());
    cuts.add(new Cut(node, index, axes.get(1), channels, found.weight()));
    return unquantised(stack.name())
        .or(
            () ->
                stack.dims().get(stack.axis(1)) == size
                    ? Optional.empty()
                    : Optional.of(
                        "'%s' is %s; expected %d along axis %d"
                            .formatted(stack.name(), stack.dims(), size, stack.axis(1))));
  }

  private StackedWeight.Found stack(Node node, int index, List<Integer> axes) {
    StackedWeight.Found found =
        StackedWeight.of(graph, finder.gathered(), finder.experts(), node, index, axes);
    return found.weight().filter(stack -> !stacks.add(stack.name())).isPresent()
        ? new StackedWeight.Found(
            Optional.empty(), "the weight '%s' is read several times".formatted(node.input(index)))
        : found;
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

  /** What is broadcast against neurons: one number, or one for each channel. */
  private Optional<String> constant(Node node, int index, Channels channels) {
    Optional<String> given = node.given(index);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    Optional<WeightView> view = WeightView.of(graph, given.get());
    boolean isGathered = view.isEmpty() && finder.gathered().contains(given.get());
    OptionalInt rank = ranks.of(given.get());
    if (isGathered && rank.isPresent()) {
      return stacked(node, index, List.of(0, rank.getAsInt() - channels.neurons()), channels);
    } else if (view.isEmpty()) {
      return Optional.of(
          "%s reads '%s', which is no constant, beside its neurons"
              .formatted(text(node), given.get()));
    }
    List<Long> dims = view.get().dims();
    int axis = dims.size() - channels.neurons();
    if (axis < 0 || dims.get(axis) == 1) {
      return Optional.empty();
    } else if (channels.owner() != Channels.ALL) {
      return own(node, index, axis, channels);
    }
    int along = dims.size() - channels.experts();
    return channels.experts() > 0 && along >= 0 && dims.get(along) > 1
        ? stacked(node, index, List.of(along, axis), channels)
        : Optional.of(
            "%s reads '%s', which has channels that all experts share"
                .formatted(text(node), given.get()));
  }

  /** A node that keeps neurons apart. */
  private Optional<String> between(Node node) {
    Set<Channels> given =
        node.inputs().stream()
            .filter(packed::containsKey)
            .map(packed::get)
            .collect(Collectors.toSet());
    if (isShape(node, given)) {
      shapes.add(node.output());
      return Optional.empty();
    } else if (isJoin(node, given)) {
      packed.put(node.output(), given.iterator().next().joined());
      return Optional.empty();
    } else if (given.size() != 1) {
      return Optional.of("%s joins channels of different kinds".formatted(text(node)));
    }
    Channels channels = given.iterator().next();
    if (Elementwise.is(node)) {
      packed.put(node.output(), channels);
      return IntStream.range(0, node.inputs().size())
          .filter(i -> !packed.containsKey(node.input(i)))
          .boxed()
          .flatMap(i -> constant(node, i, channels).stream())
          .findFirst();
    }
    Optional<Channels> made =
        packed.containsKey(node.input(0))
            ? switch (node.opType()) {
              case "Split" -> split(node, channels);
              case "Slice" -> sliced(node, channels);
              case "Gather" -> gathered(node, channels);
              case "Reshape" -> reshaped(node, channels);
              case "Squeeze", "Unsqueeze" -> besides(node, channels);
              default -> Optional.empty();
            }
            : Optional.empty();
    made.ifPresent(found -> node.outputs().forEach(output -> packed.put(output, found)));
    return made.isPresent()
        ? Optional.empty()
        : Optional.of("neurons are not known to stay apart in %s".formatted(text(node)));
  }

  /** True for the shape of a value with neurons, and what is computed of shapes alone. */
  private boolean isShape(Node node, Set<Channels> given) {
    return node.is("Shape")
        || (given.isEmpty()
            && node.outputs().size() == 1
            && COUNTING.contains(node.opType())
            && node.reads().stream()
                .allMatch(value -> shapes.contains(value) || graph.constant(value).isPresent()));
  }

  /** True where the rows of all experts are put one behind the other. */
  private boolean isJoin(Node node, Set<Channels> given) {
    Set<Integer> owners = given.stream().map(Channels::owner).collect(Collectors.toSet());
    return node.is("Concat")
        && ffns.size() > 1
        && owners.size() == experts.size()
        && !owners.contains(Channels.ALL)
        && node.inputs().stream().allMatch(packed::containsKey)
        && given.stream().map(Channels::joined).distinct().count() == 1
        && isBeside(node.output(), node.intAttribute("axis", 0), given.iterator().next());
  }

  /** Two halves of the neurons' axis, or parts of another. */
  private Optional<Channels> split(Node node, Channels channels) {
    int inner = ffn.inner();
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

  private boolean isBeside(String value, long axis, Channels channels) {
    int found = fromLast(value, axis);
    return found > 0 && found != channels.neurons() && found != channels.experts();
  }

  /** One of two halves, every second channel, or a part of another axis. */
  private Optional<Channels> sliced(Node node, Channels channels) {
    int inner = ffn.inner();
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
    return LongStream.range(0, ffn.inner()).map(neuron -> 2 * neuron + from).toArray();
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
        channels.experts() > 0 && channels.experts() == before && given[0] == finder.experts();
    return channels.neurons() == 1 && given[last] == packing.channels(ffn.inner())
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

  /** The projections that sum over the neurons. */
  private Optional<String> last() {
    return IntStream.range(0, ffns.size())
        .boxed()
        .flatMap(i -> last(ffns.get(i), owner(i)).stream())
        .findFirst();
  }

  private Optional<String> last(Ffn expert, int owner) {
    Projection projection = expert.down();
    Node node = reader(projection);
    int weight = node.inputs().indexOf(projection.weight());
    Channels given = packed.get(expert.activations().orElseThrow());
    long reads = node.inputs().stream().filter(packed::containsKey).count();
    boolean isOwn = given != null && (given.owner() == owner || given.owner() == Channels.ALL);
    if (!isOwn || given.packing() != Packing.SINGLE || reads != 1) {
      return Optional.of("%s does not read one channel of each neuron".formatted(text(node)));
    }
    int activations = node.inputs().indexOf(expert.activations().orElseThrow());
    Optional<Equation> equation = Equation.of(node);
    int summed =
        equation.isPresent()
            ? summed(equation.get(), weight, projection.in(), activations)
            : multiplied(node, weight, projection);
    return summed == given.neurons()
        ? matrix(projection, owner)
        : Optional.of("%s does not sum over its neurons".formatted(text(node)));
  }

  /** The axis of the activations that is summed over, and that nothing else has. */
  private static int summed(Equation equation, int weight, int axis, int activations) {
    char letter = equation.operands().get(weight).charAt(axis);
    boolean isOthers =
        equation.output().indexOf(letter) >= 0
            || IntStream.range(0, equation.operands().size())
                .filter(i -> i != weight && i != activations)
                .anyMatch(i -> equation.operands().get(i).indexOf(letter) >= 0);
    return isOthers ? 0 : letter(equation, weight, axis, equation.operands().get(activations));
  }

  private Node reader(Projection projection) {
    return graph.producer(projection.product()).orElseThrow();
  }

  private Optional<String> matrix(Projection projection, int owner) {
    long size = (long) ffn.inner() * projection.width();
    if (owner == Channels.ALL) {
      Node node = reader(projection);
      int experts = Math.max(0, 3 - projection.in() - projection.out());
      StackedWeight.Found found =
          stack(
              node,
              node.inputs().indexOf(projection.weight()),
              List.of(experts, projection.in(), projection.out()));
      down = found.weight();
      return down.isEmpty()
          ? Optional.of(found.objection())
          : unquantised(down.get().name())
              .or(() -> matrix(down.get().name(), down.get().dims(), size * finder.experts()));
    }
    String weight = projection.weight();
    List<Long> dims = WeightView.of(graph, weight).map(WeightView::dims).orElse(List.of());
    return matrix(weight, dims, size).or(() -> unquantised(weight));
  }

  private Optional<String> matrix(String weight, List<Long> dims, long size) {
    return Tensor.elements(dims) == size && dims.size() == (isStacked() ? 3 : 2)
        ? Optional.empty()
        : Optional.of(
            "the weight '%s' is %s, expected a matrix of each expert".formatted(weight, dims));
  }

  /**
   * Leaves the experts these neurons.
   *
   * @param block its name, for people
   */
  void apply(Ops ops, SortedMap<Integer, NarrowExpert> narrow, String block) {
    if (isWhole(narrow)) {
      return;
    }
    int width = narrow.get(narrow.firstKey()).width();
    for (Cut cut : cuts) {
      cut(ops, cut, narrow, width);
    }
    for (Size size : sizes) {
      long[] kept = size.of().apply(width);
      if (!Arrays.equals(kept, integers(size.node().input(size.index())).orElseThrow())) {
        ops.edit().setInput(size.node(), size.index(), ops.vector(kept));
      }
    }
    if (down.isPresent()) {
      StackedWeight stack = down.get();
      set(ops, stack.reader(), stack.index(), refitted(ops, stack, narrow, block));
      return;
    }
    for (int i = 0; i < ffns.size(); i++) {
      int expert = experts.get(i);
      if (narrow.containsKey(expert)) {
        Projection last = ffns.get(i).down();
        Node node = reader(last);
        String matrix =
            refitted(
                ops, last, narrow.get(expert), "block '%s': expert %d".formatted(block, expert));
        set(ops, node, node.inputs().indexOf(last.weight()), matrix);
      }
    }
  }

  private void cut(Ops ops, Cut cut, SortedMap<Integer, NarrowExpert> narrow, int width) {
    Packing packing = cut.channels().packing();
    if (cut.stack().isPresent()) {
      StackedWeight stack = cut.stack().get();
      List<List<Integer>> channels =
          experts.stream()
              .map(expert -> packing.channels(neurons(narrow, expert, width), ffn.inner()))
              .toList();
      set(ops, stack.reader(), stack.index(), stack.keep(ops, channels));
    } else if (narrow.containsKey(cut.channels().owner())) {
      WeightView view = WeightView.of(graph, cut.value()).orElseThrow();
      List<Integer> neurons = narrow.get(cut.channels().owner()).neurons();
      List<Integer> channels = packing.channels(neurons, ffn.inner());
      set(ops, cut.node(), cut.index(), view.keepAlone(ops, cut.axis(), channels));
    }
  }

  /** An expert that is removed has the first ones, which are removed with it. */
  private static List<Integer> neurons(
      SortedMap<Integer, NarrowExpert> narrow, int expert, int width) {
    return narrow.containsKey(expert)
        ? narrow.get(expert).neurons()
        : IntStream.range(0, width).boxed().toList();
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

  /** The down projections of all experts, stored as the model's are; zeros of those removed. */
  private String refitted(
      Ops ops, StackedWeight stack, SortedMap<Integer, NarrowExpert> narrow, String block) {
    ElementType stored = stack.tensor().type();
    narrow.forEach(
        (expert, kept) -> {
          float[] own = values(kept, true);
          requireFinite(name(block, expert), Tensor.of(stored, List.of((long) own.length), own));
        });
    return stack.of(
        ops,
        narrow.get(narrow.firstKey()).width(),
        (expert, column, row) ->
            narrow.containsKey(expert) ? narrow.get(expert).down(row, column) : 0);
  }

  private static String name(String block, int expert) {
    return "block '%s': expert %d".formatted(block, expert);
  }

  /** The down projection as its product reads it, stored in the type of the model's weight. */
  private String refitted(Ops ops, Projection last, NarrowExpert narrow, String name) {
    List<Long> dims = new ArrayList<>(WeightView.of(graph, last.weight()).orElseThrow().dims());
    dims.set(last.in(), (long) narrow.width());
    float[] values = values(narrow, last.in() < last.out());
    ElementType stored = Weight.behind(graph, last.weight()).orElseThrow().tensor().type();
    ElementType read = ops.edit().type(last.weight()).orElse(stored);
    Tensor matrix = Tensor.of(stored, dims, values);
    requireFinite(name, matrix);
    requireFinite(name, Tensor.of(read, dims, values));
    return ops.cast(ops.constant("down", matrix), read);
  }

  /** The matrix row by row, of neurons or of outputs. */
  private static float[] values(NarrowExpert narrow, boolean isInByOut) {
    int hidden = narrow.hidden();
    float[] values = new float[hidden * narrow.width()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          isInByOut
              ? narrow.down(i % hidden, i / hidden)
              : narrow.down(i / narrow.width(), i % narrow.width());
    }
    return values;
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
