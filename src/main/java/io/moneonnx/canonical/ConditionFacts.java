package io.moneonnx.canonical;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * What a condition says when it is true, or false: which values before it have no elements, and
 * which are nothing but 0 (or false).
 *
 * <pre>{@code
 * mask   = Equal (ids, id)                        from "any is false" follows
 * hits   = NonZero (mask)                         that mask is all false
 * rows   = Shape (hits)                           and hits has no elements
 * n      = ReduceProd (rows)                      since n is 0
 * any    = Greater (n, 0)
 * }</pre>
 */
final class ConditionFacts {
  /** Operators that put out as many elements as they take. */
  private static final Set<String> RESHAPING =
      Set.of("Cast Flatten Identity Reshape Squeeze Transpose Unsqueeze".split(" "));

  private static final Set<String> SELECTING = Set.of("Expand Gather GatherND Slice".split(" "));

  private static final Set<String> COMPARING =
      Set.of("And Equal Greater GreaterOrEqual Less LessOrEqual Not Or Xor".split(" "));

  private final Graph graph;
  private final Set<String> empty = new HashSet<>();
  private final Set<String> zero = new HashSet<>();

  /** What {@code condition}, a value of the graph, says by being {@code truth}. */
  ConditionFacts(Graph graph, String condition, boolean truth) {
    this.graph = graph;
    assume(condition, truth);
  }

  /** Values that have no elements. */
  Set<String> empty() {
    return Set.copyOf(empty);
  }

  /** Values all of whose elements are 0. */
  Set<String> zero() {
    return Set.copyOf(zero);
  }

  /** All elements of {@code value}, of which there are some, are true, or are 0. */
  private void assume(String value, boolean truth) {
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    if (!truth) {
      zero.add(value);
    }
    if (producer.isEmpty()) {
      return;
    }
    Node node = producer.get();
    String left = node.input(0);
    String right = node.input(1);
    switch (node.opType()) {
      case "Not" -> assume(left, !truth);
      case "Cast" -> {
        if (node.intAttribute("to", 0) == ElementType.BOOL.code() || isBit(left)) {
          assume(left, truth);
        }
      }
      case "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Transpose" ->
          assume(left, truth);
      case "ReduceMax", "ReduceSum" -> {
        if (!truth && isBit(left)) {
          assume(left, false);
        }
      }
      case "Greater" -> assumeNone(truth ? right : left, truth ? left : right, truth ? 1 : 0);
      case "Less" -> assumeNone(truth ? left : right, truth ? right : left, truth ? 1 : 0);
      case "GreaterOrEqual" ->
          assumeNone(truth ? right : left, truth ? left : right, truth ? 0 : 1);
      case "LessOrEqual" -> assumeNone(truth ? left : right, truth ? right : left, truth ? 0 : 1);
      case "Equal" -> {
        if (truth) {
          assumeNone(left, right, 0);
          assumeNone(right, left, 0);
        }
      }
      default -> {
        if (!truth && !isBit(value)) {
          assumeNone(value);
        }
      }
    }
  }

  /** {@code count} is at most 0, if {@code bound} is the constant that says so. */
  private void assumeNone(String count, String bound, long wanted) {
    if (graph.isNumber(bound, wanted)) {
      assumeNone(count);
    }
  }

  /** {@code count} is at most 0: something that is counted is not there. */
  private void assumeNone(String count) {
    if (isBit(count)) {
      assume(count, false);
      return;
    }
    Optional<Node> producer = graph.producer(count).filter(node -> node.domain().isEmpty());
    if (producer.isEmpty()) {
      return;
    }
    String counted = producer.get().input(0);
    switch (producer.get().opType()) {
      case "Size", "Shape" -> assumeEmpty(counted);
      case "Gather", "ReduceProd", "Slice" ->
          graph.producer(counted, "Shape").ifPresent(shape -> assumeEmpty(shape.input(0)));
      case "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze" -> assumeNone(counted);
      case "ReduceSum", "ReduceMax" -> {
        if (isBit(counted)) {
          assume(counted, false);
        }
      }
      default -> {}
    }
  }

  /** What has no elements was made from something that has none, where nothing was left out. */
  private void assumeEmpty(String value) {
    if (!empty.add(value)) {
      return;
    }
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    if (producer.isEmpty()) {
      return;
    }
    Node node = producer.get();
    if (RESHAPING.contains(node.opType())
        || (node.is("Gather")
            && graph.constant(node.input(1)).filter(ids -> ids.elements() > 0).isPresent())
        || (node.is("Split") && graph.integers(node.input(1)).filter(this::allSome).isPresent())) {
      assumeEmpty(node.input(0));
    } else if (node.is("NonZero")) {
      assume(node.input(0), false);
    }
  }

  private boolean allSome(long[] sizes) {
    for (long size : sizes) {
      if (size < 1) {
        return false;
      }
    }
    return true;
  }

  /** True for truth values, and for numbers that are 1 and 0 in their place. */
  private boolean isBit(String value) {
    Optional<Node> producer = graph.producer(value).filter(node -> node.domain().isEmpty());
    if (producer.isEmpty()) {
      return false;
    }
    Node node = producer.get();
    return COMPARING.contains(node.opType())
        || (node.is("Cast") && node.intAttribute("to", 0) == ElementType.BOOL.code())
        || ((RESHAPING.contains(node.opType()) || SELECTING.contains(node.opType()))
            && isBit(node.input(0)));
  }
}
