package io.moneonnx.canonical;

import io.moneonnx.graph.Node;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A size that is asked of a value, and that a constant weight decides, is a constant.
 *
 * <pre>{@code
 * l = MatMul (x, router [hidden, 8])  s = Shape (l)  n = Gather (s, 1)      =>      <int64 n = {8}>
 * }</pre>
 */
final class SizeOfWeight implements Rule {
  /** How far up a size is looked for: no further for longer chains. */
  private static final int STEPS = 32;

  private static final Set<String> KEEPING =
      Set.of("Cast", "Identity", "LogSoftmax", "ScatterElements", "Sigmoid", "Softmax");

  @Override
  public Set<String> operators() {
    return Set.of("Gather", "Slice");
  }

  @Override
  public Optional<Respelled> apply(Node node, RuleContext context) {
    Optional<Node> shape = context.producer(node.input(0), "Shape");
    Optional<Tensor> index = context.constant(node.input(1)).filter(t -> t.elements() == 1);
    if (shape.filter(whole -> whole.attributes().isEmpty()).isEmpty()
        || index.flatMap(Tensor::integers).isEmpty()
        || (node.is("Slice") && !isOne(node, index.get().toLongs()[0], context))) {
      return Optional.empty();
    }
    String value = shape.get().input(0);
    OptionalLong size = size(value, index.get().toLongs()[0], context);
    return size.isPresent()
        ? Optional.of(Respelled.constant(node, Tensor.of(index.get().dims(), size.getAsLong())))
        : Optional.empty();
  }

  private static boolean isOne(Node slice, long start, RuleContext context) {
    return start >= 0
        && context.isNumber(slice.input(2), start + 1)
        && (slice.input(4).isEmpty() || context.isNumber(slice.input(4), 1));
  }

  private static OptionalLong size(String value, long index, RuleContext context) {
    int rank = context.rank(value).orElse(0);
    return size(value, (int) (index < 0 ? index + rank : index), context, STEPS);
  }

  private static OptionalLong size(String value, int axis, RuleContext context, int steps) {
    Optional<Tensor> constant = context.constant(value);
    if (constant.isPresent()) {
      List<Long> dims = constant.get().dims();
      return axis >= 0 && axis < dims.size()
          ? OptionalLong.of(dims.get(axis))
          : OptionalLong.empty();
    }
    Optional<Node> made = context.producer(value).filter(node -> steps > 0);
    return made.isPresent() ? madeSize(made.get(), axis, context, steps - 1) : OptionalLong.empty();
  }

  private static OptionalLong madeSize(Node node, int axis, RuleContext context, int steps) {
    int rank = context.rank(node.output()).orElse(0);
    if (axis < 0 || axis >= rank) {
      return OptionalLong.empty();
    } else if (node.is("Gemm") && axis == 1) {
      int out = node.intAttribute("transB", 0) == 1 ? 0 : 1;
      return size(node.input(1), out, context, 0);
    } else if (node.is("MatMul") && axis == rank - 1) {
      int weight = context.rank(node.input(1)).orElse(0);
      return size(node.input(1), weight - 1, context, 0);
    } else if (node.is("ConstantOfShape")) {
      Optional<Node> shape = context.producer(node.input(0), "Shape");
      return shape.filter(whole -> whole.attributes().isEmpty()).isPresent()
          ? size(shape.get().input(0), axis, context, steps)
          : OptionalLong.empty();
    } else if (node.is("Transpose")) {
      return size(node.input(0), node.permutation(rank).get(axis).intValue(), context, steps);
    }
    return node.domain().isEmpty() && KEEPING.contains(node.opType())
        ? size(node.input(0), axis, context, steps)
        : OptionalLong.empty();
  }
}
