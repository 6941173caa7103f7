package io.moneonnx.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * How many dimensions the values of a graph have, inferred from what makes them; where an operator
 * is not known, what the file declares. Nothing is inferred before the first question.
 */
public final class ValueRanks {
  /** Operators whose output has as many dimensions as their first input. */
  private static final Set<String> LIKE_FIRST_INPUT =
      Set.of(
          "BatchNormalization",
          "Concat",
          "CumSum",
          "DequantizeLinear",
          "Dropout",
          "DynamicQuantizeLinear",
          "LayerNormalization",
          "LogSoftmax",
          "QuantizeLinear",
          "RMSNormalization",
          "ScatterElements",
          "ScatterND",
          "SimplifiedLayerNormalization",
          "Slice",
          "Softmax",
          "Split",
          "Tile",
          "TopK",
          "Transpose",
          "Trilu");

  /** Operators of {@code com.microsoft} of which the same holds. */
  private static final Set<String> FUSED =
      Set.of(
          "DequantizeLinear",
          "FusedGemm",
          "GroupQueryAttention",
          "MoE",
          "QMoE",
          "QuantizeLinear",
          "RotaryEmbedding",
          "SimplifiedLayerNormalization",
          "SkipLayerNormalization",
          "SkipSimplifiedLayerNormalization");

  private static final List<String> PART_OF_SHAPE = List.of("start", "end");

  private final Function<String, Optional<Tensor>> constants;
  private final Function<String, Optional<Node>> producers;
  private final Map<String, Value> declared;
  private final Map<String, Integer> ranks = new HashMap<>();
  private Runnable inference;

  /** Elements of vectors, where known: of what may be a shape. */
  private final Map<String, Integer> lengths = new HashMap<>();

  public ValueRanks(Graph graph) {
    this(graph, graph::constant, graph::producer);
    this.inference =
        () -> {
          graph.initializers().values().forEach(this::constant);
          graph.nodes().forEach(this::infer);
        };
  }

  /**
   * The ranks of a graph whose nodes are told one by one, with {@link #infer}.
   *
   * @param graph of which only what is declared counts
   * @param constants the constants so far
   * @param producers the nodes so far
   */
  public ValueRanks(
      Graph graph,
      Function<String, Optional<Tensor>> constants,
      Function<String, Optional<Node>> producers) {
    this.constants = constants;
    this.producers = producers;
    this.declared = graph.declared();
    this.inference = () -> {};
    graph.inputs().forEach(this::declared);
  }

  /** The number of dimensions of {@code value}, where it is known. */
  public OptionalInt of(String value) {
    Runnable first = inference;
    inference = () -> {};
    first.run();
    Integer rank = ranks.get(value);
    return rank == null ? OptionalInt.empty() : OptionalInt.of(rank);
  }

  private void declared(Value value) {
    value.shape().ifPresent(shape -> ranks.put(value.name(), shape.size()));
  }

  /** Takes one more constant. */
  public void constant(Initializer constant) {
    constant(constant.name(), constant.tensor());
  }

  private void constant(String name, Tensor tensor) {
    ranks.put(name, tensor.rank());
    if (tensor.rank() == 1) {
      lengths.put(name, tensor.dims().get(0).intValue());
    }
  }

  /** Takes one more node, whose inputs are known by now. */
  public void infer(Node node) {
    constants.apply(node.output()).ifPresent(tensor -> constant(node.output(), tensor));
    OptionalInt rank = node.domain().isEmpty() ? rank(node) : ofContributed(node);
    for (String output : node.outputs()) {
      Value hint = declared.get(output);
      if (rank.isPresent()) {
        ranks.put(output, rank.getAsInt());
      } else if (hint != null) {
        declared(hint);
      }
    }
    length(node).ifPresent(length -> lengths.put(node.output(), length));
  }

  private OptionalInt ofContributed(Node node) {
    return switch (node.opType()) {
      case "MatMulNBits", "MatMulBnb4", "MatMulFpQ4" -> of(node.input(0));
      case "FusedMatMul", "MatMulIntegerToFloat", "DynamicQuantizeMatMul" -> product(node);
      case "GatherBlockQuantized" -> plus(of(node.input(0)), of(node.input(1)), -1);
      default ->
          FUSED.contains(node.opType())
              ? of(node.input(0))
              : Elementwise.is(node) ? broadcast(node) : OptionalInt.empty();
    };
  }

  private OptionalInt product(Node node) {
    return isMatrix(node) ? larger(of(node.input(0)), of(node.input(1))) : OptionalInt.empty();
  }

  private OptionalInt rank(Node node) {
    OptionalInt first = of(node.input(0));
    return switch (node.opType()) {
      case "Shape", "Range" -> OptionalInt.of(1);
      case "Size" -> OptionalInt.of(0);
      case "Gemm", "Flatten", "NonZero" -> OptionalInt.of(2);
      case "Constant" -> of(node.output());
      case "Reshape" -> lengthOf(node.input(1));
      case "ConstantOfShape" -> lengthOf(node.input(0));
      case "Expand" -> larger(first, lengthOf(node.input(1)));
      case "GatherElements" -> first;
      case "Gather" -> plus(first, of(node.input(1)), -1);
      case "GatherND" -> gatherNd(node);
      case "OneHot" -> plus(first, OptionalInt.of(1), 0);
      case "Unsqueeze" -> plus(first, lengthOf(node.input(1)), 0);
      case "Squeeze" -> less(first, lengthOf(node.input(1)));
      case "Einsum" -> einsum(node);
      case "MatMul", "MatMulInteger" -> product(node);
      case "ArgMax", "ArgMin" -> less(first, OptionalInt.of(isKept(node) ? 0 : 1));
      case "ReduceL1",
          "ReduceL2",
          "ReduceMax",
          "ReduceMean",
          "ReduceMin",
          "ReduceProd",
          "ReduceSum" ->
          isKept(node) ? first : less(first, axes(node));
      default ->
          LIKE_FIRST_INPUT.contains(node.opType())
              ? first
              : Elementwise.is(node) ? broadcast(node) : OptionalInt.empty();
    };
  }

  /** Known where each place is one number: indices that an axis of one was put behind. */
  private OptionalInt gatherNd(Node node) {
    OptionalInt places = of(node.input(1));
    boolean isOneNumber =
        producers
            .apply(node.input(1))
            .filter(made -> made.is("Unsqueeze"))
            .flatMap(last -> constants.apply(last.input(1)))
            .map(Tensor::toLongs)
            .filter(axes -> axes.length == 1)
            .filter(axes -> axes[0] == -1 || axes[0] == places.orElse(0) - 1)
            .isPresent();
    return isOneNumber && node.intAttribute("batch_dims", 0) == 0
        ? plus(of(node.input(0)), places, -2)
        : OptionalInt.empty();
  }

  private boolean isMatrix(Node node) {
    return IntStream.range(0, 2).allMatch(i -> of(node.input(i)).orElse(0) >= 2);
  }

  private static boolean isKept(Node node) {
    return node.intAttribute("keepdims", 1) == 1;
  }

  /** How many axes are reduced; older operators have them as an attribute. */
  private OptionalInt axes(Node node) {
    if (node.attributes().get("axes") instanceof Attribute.OfInts axes) {
      return OptionalInt.of(axes.values().size());
    }
    return node.input(1).isEmpty() ? of(node.input(0)) : lengthOf(node.input(1));
  }

  private static OptionalInt einsum(Node node) {
    return Equation.of(node)
        .map(equation -> OptionalInt.of(equation.output().length()))
        .orElse(OptionalInt.empty());
  }

  private OptionalInt broadcast(Node node) {
    return node.inputs().stream()
        .filter(input -> !input.isEmpty())
        .map(this::of)
        .reduce(OptionalInt.of(0), ValueRanks::larger);
  }

  private OptionalInt lengthOf(String vector) {
    Integer length = lengths.get(vector);
    return length == null ? OptionalInt.empty() : OptionalInt.of(length);
  }

  /** The number of elements of the vector that a node makes, of the kinds that shapes are. */
  private Optional<Integer> length(Node node) {
    OptionalInt first = lengthOf(node.input(0));
    OptionalInt found =
        switch (node.domain().isEmpty() ? node.opType() : "") {
          case "Shape" ->
              node.attributes().keySet().stream().anyMatch(PART_OF_SHAPE::contains)
                  ? OptionalInt.empty()
                  : of(node.input(0));
          case "Concat" ->
              node.inputs().stream()
                  .map(this::lengthOf)
                  .reduce(OptionalInt.of(0), (a, b) -> plus(a, b, 0));
          case "Unsqueeze" ->
              of(node.input(0)).equals(OptionalInt.of(0)) ? OptionalInt.of(1) : OptionalInt.empty();
          case "Gather" -> lengthOf(node.input(1));
          case "Cast", "Identity", "Add", "Sub", "Mul", "Div", "Neg" -> first;
          case "Reshape" ->
              of(node.output()).equals(OptionalInt.of(1)) ? first : OptionalInt.empty();
          case "Where" -> lengthOf(node.input(2));
          case "Slice" -> cut(node, first);
          default -> OptionalInt.empty();
        };
    return found.isPresent() ? Optional.of(found.getAsInt()) : Optional.empty();
  }

  /** The length of what is cut out of a vector from one constant place to another. */
  private OptionalInt cut(Node slice, OptionalInt whole) {
    long[] bounds =
        IntStream.of(1, 2)
            .mapToObj(slice::input)
            .flatMap(bound -> constants.apply(bound).flatMap(Tensor::integers).stream())
            .filter(bound -> bound.length == 1)
            .mapToLong(bound -> bound[0])
            .toArray();
    boolean isWhole = slice.input(4).isEmpty() || isOne(slice.input(4));
    if (whole.isEmpty() || bounds.length != 2 || !isWhole) {
      return OptionalInt.empty();
    }
    long from = place(bounds[0], whole.getAsInt());
    return OptionalInt.of((int) Math.max(0, place(bounds[1], whole.getAsInt()) - from));
  }

  private boolean isOne(String step) {
    return constants.apply(step).filter(tensor -> tensor.isNumber(1)).isPresent();
  }

  private static long place(long bound, int length) {
    return Math.max(0, Math.min(length, bound < 0 ? bound + length : bound));
  }

  private static OptionalInt larger(OptionalInt a, OptionalInt b) {
    return a.isPresent() && b.isPresent()
        ? OptionalInt.of(Math.max(a.getAsInt(), b.getAsInt()))
        : OptionalInt.empty();
  }

  private static OptionalInt plus(OptionalInt a, OptionalInt b, int more) {
    return a.isPresent() && b.isPresent()
        ? OptionalInt.of(a.getAsInt() + b.getAsInt() + more)
        : OptionalInt.empty();
  }

  private static OptionalInt less(OptionalInt a, OptionalInt b) {
    return a.isPresent() && b.isPresent()
        ? OptionalInt.of(a.getAsInt() - b.getAsInt())
        : OptionalInt.empty();
  }
}
