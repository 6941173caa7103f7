package io.moneonnx.verify;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Routing;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Lets a router of the original never choose some experts: every node that compares experts, or
 * shares out among them, reads minus infinity in their columns. All other nodes read what they read
 * before.
 *
 * <pre>{@code
 * shares = Softmax (Where (isPruned, -inf, logits))
 * ranks  = ReduceMax (Reshape (Where (isPruned, -inf, Reshape (apart, [-1, experts])), Shape (apart)))
 * _, ids = TopK (Where (isPruned, -inf, scores), k)
 * }</pre>
 *
 * The oracle of a router that was cut. It is made from the original graph alone, by nothing that
 * cuts routers.
 */
final class RouterMask {
  private static final Set<String> CHOOSING = Set.of("ArgMax", "ReduceMax", "TopK");

  private final Ops ops;
  private final Graph graph;
  private final Routing routing;
  private final String isPruned;

  private RouterMask(Ops ops, Routing routing, Set<Integer> pruned) {
    this.ops = ops;
    this.graph = ops.edit().graph();
    this.routing = routing;
    float[] marks = new float[routing.experts()];
    pruned.forEach(expert -> marks[expert] = 1);
    this.isPruned =
        ops.greater(
            ops.constant("pruned", Tensor.of(List.of((long) marks.length), marks)), ops.scalar(0f));
  }

  /**
   * Masks these experts.
   *
   * @return what the experts are now chosen by, {@code [..., experts]}
   */
  static String apply(Ops ops, Routing routing, Set<Integer> pruned) {
    RouterMask mask = new RouterMask(ops, routing, pruned);
    mask.maskOnTheWay();
    return mask.maskChoice();
  }

  /** Masks what shares out and what ranks groups, between the router's input and its scores. */
  private void maskOnTheWay() {
    Set<String> leading =
        Reach.backward(graph, List.of(routing.choice().scores()), routing.input()::equals);
    Set<String> perExpert = Reach.forward(graph, List.of(routing.input()), this::isChosen);
    perExpert.removeIf(this::isChosen);
    for (Node node : graph.nodes()) {
      boolean isOnTheWay = node.outputs().stream().anyMatch(leading::contains);
      if (isOnTheWay && perExpert.contains(node.input(0))) {
        mask(node);
      }
    }
  }

  private void mask(Node node) {
    String value = node.input(0);
    if (node.is("Softmax")) {
      ops.edit().setInput(node, 0, masked(value, value));
    } else if (isChoosing(node)) {
      String rows = masked(ops.reshape(value, -1, routing.experts()), value);
      ops.edit().setInput(node, 0, ops.reshapeLike(rows, value));
    }
  }

  private String maskChoice() {
    Choice choice = routing.choice();
    String masked = masked(choice.scores(), choice.scores());
    if (choice.isShown()) {
      ops.edit().setInput(graph.producer(choice.value()).orElseThrow(), 0, masked);
    } else {
      ops.edit().redirect(choice.scores(), masked);
    }
    return masked;
  }

  /** These rows, of the element type of a value of the graph. */
  private String masked(String rows, String value) {
    ElementType type = ops.edit().type(value).orElseThrow();
    String never = ops.constant("never", Tensor.of(type, List.of(), Float.NEGATIVE_INFINITY));
    return ops.where(isPruned, never, type == ElementType.FLOAT16 ? rounded(rows) : rows);
  }

  /**
   * Values as they are stored: without anything that moves them, ONNX Runtime's CPU computes on in
   * float32 with what it has not rounded to half precision, and a router that was cut moves them.
   */
  private String rounded(String rows) {
    long[] all = LongStream.range(0, routing.experts()).toArray();
    return ops.gather(rows, ops.vector(all), -1);
  }

  /** True for the chosen of some experts, or of some groups: it has no column of each expert. */
  private boolean isChosen(String value) {
    return graph.producer(value).filter(RouterMask::isChoosing).isPresent();
  }

  private static boolean isChoosing(Node node) {
    return CHOOSING.stream().anyMatch(node::is);
  }
}
