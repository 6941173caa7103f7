package io.moneonnx.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Adds nodes to an edit, one method an operator, in the spelling of the model's opset. Every method
 * returns the name of the value it makes. Integer constants are shared, and what was made once is
 * not made again.
 */
public final class Ops {
  private static final int REDUCTIONS_TAKE_AXES_AS_INPUT = 18;

  private final GraphEdit edit;
  private final String prefix;
  private final Map<List<Long>, String> vectors = new HashMap<>();
  private final Map<Float, String> floats = new HashMap<>();
  private final Map<List<Object>, String> kept = new HashMap<>();
  private final Map<String, Tensor> replaced = new HashMap<>();
  private final Map<String, String> reshaped = new HashMap<>();
  private final Map<Call, String> made = new HashMap<>();
  private final Map<Call, Best> best = new HashMap<>();

  /** Operators added to {@code edit}; values are named {@code prefix/...}. */
  public Ops(GraphEdit edit, String prefix) {
    this.edit = edit;
    this.prefix = prefix;
  }

  public GraphEdit edit() {
    return edit;
  }

  /** What the names of added values begin with. */
  public String prefix() {
    return prefix;
  }

  private record Call(String operator, Map<String, Attribute> attributes, List<String> inputs) {}

  private String call(String operator, Map<String, Attribute> attributes, String... inputs) {
    Call call = new Call(operator, attributes, List.of(inputs));
    return made.computeIfAbsent(
        call, c -> edit.add(operator, prefix + "/" + operator, c.inputs(), attributes));
  }

  private String call(String operator, String... inputs) {
    return call(operator, Map.of(), inputs);
  }

  /** These indices of one axis of a constant of the graph; the same ones are kept once. */
  public String kept(String value, Tensor tensor, int axis, List<Integer> indices) {
    return kept.computeIfAbsent(
        List.of(value, axis, indices),
        key -> constant("kept", replaced.getOrDefault(value, tensor).along(axis, indices)));
  }

  /** What a value of the graph was replaced by, with {@link #inPlaceOf}. */
  public Optional<Tensor> inPlaceOf(String value) {
    return Optional.ofNullable(replaced.get(value));
  }

  /**
   * A constant in place of a weight of the graph, of as many dimensions: what is {@link #kept} of
   * that one is from now on kept of this.
   */
  public String inPlaceOf(String value, String hint, Tensor tensor) {
    replaced.put(value, tensor);
    return constant(hint, tensor);
  }

  public String constant(String hint, Tensor tensor) {
    return edit.constant(prefix + "/" + hint, tensor);
  }

  /** A constant int64 vector. */
  public String vector(long... values) {
    List<Long> key = Arrays.stream(values).boxed().toList();
    return vectors.computeIfAbsent(key, k -> constant("ints", Tensor.vector(values)));
  }

  /** A constant float32 scalar. */
  public String scalar(float value) {
    return floats.computeIfAbsent(value, v -> constant("float", Tensor.scalar(v)));
  }

  public String add(String a, String b) {
    return call("Add", a, b);
  }

  public String sub(String a, String b) {
    return call("Sub", a, b);
  }

  public String mul(String a, String b) {
    return call("Mul", a, b);
  }

  public String div(String a, String b) {
    return call("Div", a, b);
  }

  /** The remainder of whole numbers, with the sign of {@code b}. */
  public String mod(String a, String b) {
    return call("Mod", a, b);
  }

  public String min(String a, String b) {
    return call("Min", a, b);
  }

  public String max(String a, String b) {
    return call("Max", a, b);
  }

  public String abs(String a) {
    return call("Abs", a);
  }

  public String exp(String a) {
    return call("Exp", a);
  }

  public String log(String a) {
    return call("Log", a);
  }

  public String neg(String a) {
    return call("Neg", a);
  }

  public String sigmoid(String a) {
    return call("Sigmoid", a);
  }

  public String tanh(String a) {
    return call("Tanh", a);
  }

  public String softmax(String a) {
    return call("Softmax", Map.of("axis", Attribute.of(-1)), a);
  }

  public String logSoftmax(String a) {
    return call("LogSoftmax", Map.of("axis", Attribute.of(-1)), a);
  }

  /** The index of the largest element along the last axis, which goes: int64. */
  public String argMax(String a) {
    return call("ArgMax", Map.of("axis", Attribute.of(-1), "keepdims", Attribute.of(0)), a);
  }

  /** The elements {@code from} to {@code to}, the last not among them, along one axis. */
  public String slice(String a, long axis, long from, long to) {
    return call("Slice", a, vector(from), vector(to), vector(axis));
  }

  /** The elements {@code from [1]} to {@code to [1]}, the last not among them, along one axis. */
  public String slice(String a, long axis, String from, String to) {
    return call("Slice", a, from, to, vector(axis));
  }

  public String sqrt(String a) {
    return call("Sqrt", a);
  }

  public String equal(String a, String b) {
    return call("Equal", a, b);
  }

  public String greater(String a, String b) {
    return call("Greater", a, b);
  }

  public String where(String condition, String then, String otherwise) {
    return call("Where", condition, then, otherwise);
  }

  public String matMul(String a, String b) {
    return call("MatMul", a, b);
  }

  public String einsum(Equation equation, List<String> operands) {
    return call(
        "Einsum",
        Map.of("equation", Attribute.of(equation.toString())),
        operands.toArray(String[]::new));
  }

  public String transpose(String a, Long... perm) {
    return call("Transpose", Map.of("perm", Attribute.ints(perm)), a);
  }

  public String shape(String a) {
    return call("Shape", a);
  }

  /** The size of one axis of {@code a}, as a vector of one element. */
  public String size(String a, long axis) {
    return gather(shape(a), vector(axis));
  }

  /** {@code a} in this type; itself where it is known to be. */
  public String cast(String a, ElementType type) {
    return edit.type(a).filter(type::equals).isPresent()
        ? a
        : call("Cast", Map.of("to", Attribute.of(type.code())), a);
  }

  public String gather(String data, String indices) {
    return gather(data, indices, 0);
  }

  public String gather(String data, String indices, long axis) {
    return call("Gather", Map.of("axis", Attribute.of(axis)), data, indices);
  }

  public String gatherElements(String data, String indices, long axis) {
    return call("GatherElements", Map.of("axis", Attribute.of(axis)), data, indices);
  }

  /**
   * The largest elements of each row, the largest first.
   *
   * @param values {@code [..., k]}
   * @param ids where they stand in their rows, int64 {@code [..., k]}
   */
  public record Best(String values, String ids) {}

  public Best topK(String scores, int k) {
    Call call = new Call("TopK", Map.of("axis", Attribute.of(-1)), List.of(scores, vector(k)));
    return best.computeIfAbsent(call, this::best);
  }

  private Best best(Call call) {
    List<String> hints = List.of(prefix + "/Best", prefix + "/TopK");
    List<String> both = edit.add(call.operator(), hints, call.inputs(), call.attributes());
    return new Best(both.get(0), both.get(1));
  }

  /** {@code on} at these ids and {@code off} elsewhere, float32 {@code [..., depth]}. */
  public String oneHot(String ids, int depth, float off, float on) {
    String offOn = constant("offOn", Tensor.of(List.of(2L), off, on));
    return call("OneHot", Map.of("axis", Attribute.of(-1)), ids, vector(depth), offOn);
  }

  /** A product of matrices, of which the second is stored turned. */
  public String matMulTurned(String a, String b) {
    return call("Gemm", Map.of("transB", Attribute.of(1)), a, b);
  }

  /** All outputs of a node of ONNX's own domain, on other inputs. */
  List<String> applyAll(Node like, List<String> inputs) {
    List<String> hints = like.outputs().stream().map(output -> prefix + "/" + output).toList();
    return edit.add(like.opType(), hints, inputs, like.attributes());
  }

  /** The operator of a node on other inputs, and with these attributes beside its own. */
  public String apply(Node like, List<String> inputs, Map<String, Attribute> attributes) {
    return edit.add(like, prefix + "/" + like.opType(), inputs, attributes);
  }

  /** The int64 vector {@code 0, 1, ..., limit - 1}; {@code limit} is a vector of one element. */
  public String range(String limit) {
    String end = call("Squeeze", limit);
    return call(
        "Range", constant("zero", Tensor.scalar(0L)), end, constant("one", Tensor.scalar(1L)));
  }

  /** {@code a} with these dims; one may be -1, none 0. */
  public String reshape(String a, long... dims) {
    String source = reshaped.getOrDefault(a, a);
    String result = call("Reshape", source, vector(dims));
    reshaped.put(result, source);
    return result;
  }

  /** {@code a} with the dims of a vector; one may be -1. */
  public String reshape(String a, String dims) {
    return call("Reshape", a, dims);
  }

  /** {@code a [..., width]} as a matrix {@code [rows, width]}; itself where it is known to be. */
  public String rows(String a, int width) {
    return edit.rank(a).orElse(0) == 2 ? a : reshape(a, -1, width);
  }

  public String reshapeLike(String a, String like) {
    return call("Reshape", a, shape(like));
  }

  public String expand(String a, String shape) {
    return call("Expand", a, shape);
  }

  public String unsqueeze(String a, long axis) {
    return call("Unsqueeze", a, vector(axis));
  }

  public String squeeze(String a, long axis) {
    return call("Squeeze", a, vector(axis));
  }

  public String concat(long axis, List<String> parts) {
    return parts.size() == 1
        ? parts.get(0)
        : call("Concat", Map.of("axis", Attribute.of(axis)), parts.toArray(String[]::new));
  }

  /** The indices at which a vector is not zero: {@code [hits]} int64. */
  public String nonZero(String vector) {
    return reshape(call("NonZero", vector), -1);
  }

  /** Row and column of each element that is not zero, row by row: {@code [2, hits]} int64. */
  public String hits(String matrix) {
    return call("NonZero", matrix);
  }

  /** Sums of a vector from its first element to each. */
  public String cumSum(String vector) {
    return call("CumSum", vector, constant("axis", Tensor.scalar(0L)));
  }

  /** A float32 tensor of zeros of this shape. */
  public String zeros(String shape) {
    return zeros(shape, ElementType.FLOAT);
  }

  /** A tensor of zeros of this shape, of a floating type. */
  public String zeros(String shape, ElementType type) {
    return full(shape, type, 0);
  }

  /** A tensor of this shape and floating type that holds one value throughout. */
  public String full(String shape, ElementType type, float value) {
    return call(
        "ConstantOfShape",
        Map.of("value", Attribute.of(Tensor.of(type, List.of(1L), value))),
        shape);
  }

  public String scatterElements(String data, String indices, String updates, long axis) {
    return call("ScatterElements", Map.of("axis", Attribute.of(axis)), data, indices, updates);
  }

  /** Overwrites rows of {@code data} by {@code rows}, at {@code indices [n]}. */
  public String scatterRows(String data, String indices, String rows) {
    return call("ScatterND", data, unsqueeze(indices, 1), rows);
  }

  public String reduceSum(String a, boolean keepDims, long... axes) {
    List<String> inputs = new ArrayList<>(List.of(a));
    if (axes.length > 0) {
      inputs.add(vector(axes));
    }
    return call(
        "ReduceSum",
        Map.of("keepdims", Attribute.of(keepDims ? 1 : 0)),
        inputs.toArray(String[]::new));
  }

  public String reduceMin(String a, boolean keepDims, Long... axes) {
    return reduce("ReduceMin", a, keepDims, axes);
  }

  public String reduceMax(String a, boolean keepDims, Long... axes) {
    return reduce("ReduceMax", a, keepDims, axes);
  }

  public String reduceSumSquare(String a, boolean keepDims, Long... axes) {
    return reduce("ReduceSumSquare", a, keepDims, axes);
  }

  private String reduce(String operator, String a, boolean keepDims, Long... axes) {
    Map<String, Attribute> attributes = new HashMap<>();
    attributes.put("keepdims", Attribute.of(keepDims ? 1 : 0));
    if (axes.length == 0) {
      return call(operator, attributes, a);
    }
    if (edit.opset() >= REDUCTIONS_TAKE_AXES_AS_INPUT) {
      long[] values = Arrays.stream(axes).mapToLong(Long::longValue).toArray();
      return call(operator, attributes, a, vector(values));
    }
    attributes.put("axes", Attribute.ints(axes));
    return call(operator, attributes, a);
  }

  /**
   * One of two values; only the one that is taken is computed.
   *
   * @param condition a bool of one element
   */
  public String when(String condition, Supplier<String> then, Supplier<String> otherwise) {
    return call(
        "If", Map.of("then_branch", branch(then), "else_branch", branch(otherwise)), condition);
  }

  private Attribute branch(Supplier<String> value) {
    return subgraph("branch", List.of(), () -> List.of(value.get()));
  }

  /**
   * What each of so many rounds computes, stacked: {@code [rounds, ...]}.
   *
   * @param round takes the number of the round, int64 {@code [1]}, and returns its value
   */
  public String rounds(long count, UnaryOperator<String> round) {
    return rounds(constant("rounds", Tensor.scalar(count)), round);
  }

  /**
   * The same for a number of rounds that the graph computes.
   *
   * @param count int64, of one element
   */
  public String rounds(String count, UnaryOperator<String> round) {
    String number = edit.fresh(prefix + "/round");
    String goOn = edit.fresh(prefix + "/goOn");
    Attribute body =
        subgraph(
            "round",
            List.of(Value.of(number, ElementType.INT64), Value.of(goOn, ElementType.BOOL)),
            () -> List.of(goOn, round.apply(reshape(number, 1))));
    return call("Loop", Map.of("body", body), count, "");
  }

  /** What is made in a subgraph is not known outside it. */
  private Attribute subgraph(String name, List<Value> inputs, Supplier<List<String>> making) {
    Map<Call, String> madeOutside = Map.copyOf(made);
    Map<String, String> reshapedOutside = Map.copyOf(reshaped);
    Map<Call, Best> bestOutside = Map.copyOf(best);
    List<Value> outputs = new ArrayList<>();
    List<Node> nodes =
        edit.apart(
            () ->
                making
                    .get()
                    .forEach(
                        value ->
                            outputs.add(
                                Value.undeclared(
                                    edit.add("Identity", value, List.of(value), Map.of())))));
    made.clear();
    made.putAll(madeOutside);
    reshaped.clear();
    reshaped.putAll(reshapedOutside);
    best.clear();
    best.putAll(bestOutside);
    return new Attribute.OfGraph(
        new Graph(name, nodes, Map.of(), inputs, outputs, Map.of(), UnknownFields.NONE));
  }
}
