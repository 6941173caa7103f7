package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Elementwise;
import io.moneonnx.graph.Equation;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.Channels.Packing;
import io.moneonnx.moe.Ffn.Projection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Follows neurons from node to node: the channels of an axis of whatever is computed between the
 * first projections and the last, of one expert, or of all whose neurons are in the same values.
 * What is not known to keep them apart, or names their number otherwise than in a constant or by
 * the shape of such a value, is an objection.
 */
final class NeuronTrace {
  /** Operators that lay out what experts put out otherwise. */
  private static final Set<String> LAYING_OUT =
      Set.of("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze");

  /**
   * Input {@code index} of a node, a weight that loses channels of an axis.
   *
   * @param stack the constant behind it, where it is of all experts
   */
  record Cut(Node node, int index, int axis, Channels channels, Optional<StackedWeight> stack) {
    String value() {
      return node.input(index);
    }
  }

  private final Graph graph;
  private final ValueRanks ranks;
  private final Set<String> gathered;
  private final List<Integer> experts;
  private final List<Ffn> ffns;
  private final Ffn ffn;
  private final NeuronRules rules;
  private final Map<String, Channels> packed;
  private final List<Cut> cuts = new ArrayList<>();
  private final Set<String> stacks = new HashSet<>();
  private final List<PackedPart> parts = new ArrayList<>();
  private Optional<StackedWeight> down = Optional.empty();
  private OptionalInt group = OptionalInt.empty();
  private final Optional<String> objection;

  /**
   * Follows the neurons of these experts.
   *
   * @param gathered values that are gathered of stacked constants, for each row by the id of its
   *     expert
   * @param ffns what each computes, or the one that all compute at once
   */
  NeuronTrace(
      Graph graph, ValueRanks ranks, Set<String> gathered, List<Integer> experts, List<Ffn> ffns) {
    this.graph = graph;
    this.ranks = ranks;
    this.gathered = gathered;
    this.experts = experts;
    this.ffns = ffns;
    this.ffn = ffns.get(0);
    this.rules = new NeuronRules(graph, ranks, experts.size(), ffn.inner());
    this.packed = rules.packed();
    boolean isHidden = ffn.activations().isEmpty();
    this.objection = unlike().or(() -> isHidden ? inside() : follow().or(this::last));
  }

  /** Why neurons cannot be cut; empty if they can. */
  Optional<String> objection(int width) {
    return objection.or(() -> rules.unexpected(width));
  }

  /** Why what experts put out is more than a sum over their neurons and one bias. */
  Optional<String> indivisible() {
    List<Node> added = new ArrayList<>();
    String value = ffn.down().product();
    List<Node> readers = graph.consumers(value);
    while (readers.size() == 1
        && (LAYING_OUT.contains(readers.get(0).opType()) || isBiased(readers.get(0), value))) {
      Node node = readers.get(0);
      if (node.is("Add")) {
        added.add(node);
      }
      value = node.output();
      readers = graph.consumers(value);
    }
    return added.size() > 1
        ? Optional.of("%s adds a second bias to what they put out".formatted(text(added.get(1))))
        : Optional.empty();
  }

  private boolean isBiased(Node node, String value) {
    Set<String> others = new HashSet<>(node.inputs());
    others.remove(value);
    return node.is("Add")
        && others.stream()
            .anyMatch(
                other ->
                    Weight.behind(graph, other).isPresent()
                        || !Collections.disjoint(
                            gathered, Reach.backward(graph, List.of(other), gathered::contains)));
  }

  /** What is left of packed weights, the last projections among them. */
  List<PackedPart> parts() {
    return parts;
  }

  /**
   * How many neurons share a scale of the last projection, which keeps its columns as they are;
   * empty where it is a matrix of numbers.
   */
  OptionalInt group() {
    return group;
  }

  /** The weights that lose channels, all but the last projections. */
  List<Cut> cuts() {
    return cuts;
  }

  /**
   * The last projections of all experts, where they are stacked: the constant's axes of the
   * experts, the neurons and the outputs.
   */
  Optional<StackedWeight> down() {
    return down;
  }

  /** The shapes that follow from the number of neurons. */
  NeuronRules rules() {
    return rules;
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

  /** The weights of an operator that computes the experts within. */
  private Optional<String> inside() {
    Optional<String> first =
        Stream.concat(ffn.gate().stream(), Stream.of(ffn.up()))
            .flatMap(projection -> inside(projection).stream())
            .findFirst();
    return first.or(
        () ->
            ffn.down().packed().isPresent()
                ? columns(ffn.down(), Channels.ALL)
                : matrix(ffn.down(), Channels.ALL));
  }

  private Optional<String> inside(Projection projection) {
    Node node = reader(projection);
    Channels channels = new Channels(Packing.of(ffn.kind()), 1, 0, Channels.ALL);
    int weight = node.inputs().indexOf(projection.weight());
    Optional<String> cut =
        projection.packed().isPresent()
            ? rows(projection, channels)
            : stacked(node, weight, List.of(0, projection.out()), channels);
    return cut.or(
        () ->
            projection
                .bias()
                .flatMap(
                    bias -> stacked(node, node.inputs().indexOf(bias), List.of(0, 1), channels)));
  }

  /** The rows of a packed weight that make these channels. */
  private Optional<String> rows(Projection projection, Channels channels) {
    return packed(
        new PackedPart.Finder(graph, experts.size(), channels.owner())
            .rows(reader(projection), projection, channels.packing()));
  }

  /** The columns of a packed weight, by groups of neurons. */
  private Optional<String> columns(Projection projection, int owner) {
    int size = projection.packed().orElseThrow().group();
    boolean isAnother = group.isPresent() && group.getAsInt() != size;
    group = OptionalInt.of(size);
    return isAnother
        ? Optional.of("the last weights of its experts are quantised in groups that differ")
        : packed(
            new PackedPart.Finder(graph, experts.size(), owner)
                .columns(reader(projection), projection, ffn.inner()));
  }

  private Optional<String> packed(PackedPart.Found found) {
    parts.addAll(found.parts());
    return Optional.of(found.objection()).filter(reason -> !reason.isEmpty());
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
    int stacked = owner == Channels.ALL ? 3 - projection.in() - projection.out() : -1;
    Optional<Equation> equation = Equation.of(node);
    int axis =
        equation.isPresent()
            ? letter(equation.get(), weight, projection.out(), equation.get().output())
            : multiplied(node, weight, projection);
    if (axis == 0 || (owner == Channels.ALL && stacked < 0)) {
      return Optional.of("%s does not keep its neurons apart".formatted(text(node)));
    }
    boolean isGathered = owner == Channels.ALL && !isConstant(projection.weight());
    int along =
        stacked < 0 || isGathered
            ? 0
            : equation.isPresent()
                ? letter(equation.get(), weight, stacked, equation.get().output())
                : 3 - stacked;
    Channels channels = new Channels(packing, axis, along, owner);
    packed.put(projection.product(), channels);
    if (projection.packed().isPresent()) {
      return rows(projection, channels).or(() -> constant(node, 5, channels));
    }
    Optional<String> cut =
        owner == Channels.ALL
            ? stacked(node, weight, List.of(stacked, projection.out()), channels)
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
    if (!isPlain) {
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
        StackedWeight.of(graph, gathered, experts.size(), node, index, axes);
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
    boolean isGathered = view.isEmpty() && gathered.contains(given.get());
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
    if (rules.isShape(node)) {
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
    Optional<Channels> made = rules.behind(node, channels);
    made.ifPresent(found -> node.outputs().forEach(output -> packed.put(output, found)));
    return made.isPresent()
        ? Optional.empty()
        : Optional.of("neurons are not known to stay apart in %s".formatted(text(node)));
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
        && rules.isBeside(node.output(), node.intAttribute("axis", 0), given.iterator().next());
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
        ? projection.packed().isPresent() ? columns(projection, owner) : matrix(projection, owner)
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

  private Optional<String> matrix(Projection projection, int owner) {
    long size = (long) ffn.inner() * projection.width();
    if (owner == Channels.ALL) {
      Node node = reader(projection);
      int along = Math.max(0, 3 - projection.in() - projection.out());
      StackedWeight.Found found =
          stack(
              node,
              node.inputs().indexOf(projection.weight()),
              List.of(along, projection.in(), projection.out()));
      down = found.weight();
      return down.isEmpty()
          ? Optional.of(found.objection())
          : unquantised(down.get().name())
              .or(() -> matrix(down.get().name(), down.get().dims(), size * experts.size()));
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

  private Node reader(Projection projection) {
    return graph.producer(projection.product()).orElseThrow();
  }
}
