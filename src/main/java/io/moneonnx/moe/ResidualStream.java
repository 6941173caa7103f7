package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The residual stream after a block: the first sum of what the block contributes and of what the
 * block was computed from.
 *
 * <p>Shared experts are added to a block's output too, but the block is not computed from them.
 *
 * @param sum what makes it: an {@code Add}, or a norm that adds what it skips
 */
public record ResidualStream(Node sum) {
  private static final Set<String> SKIPPING =
      Set.of("SkipLayerNormalization", "SkipSimplifiedLayerNormalization");

  private static final Set<String> LAYING_OUT =
      Set.of("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Identity");

  /** Which output of a norm is the sum that it was computed of. */
  private static final int SKIPPED_SUM = 3;

  /** Finds the stream; empty where nothing of the kind is in the graph. */
  public static Optional<ResidualStream> after(Graph graph, Claim block) {
    Set<String> before = before(graph, block);
    Set<String> behind = Reach.forward(graph, List.of(block.output()), value -> false);
    return graph.nodes().stream()
        .filter(ResidualStream::adds)
        .filter(node -> isOneOf(node, behind) && isOneOf(node, before))
        .filter(node -> node.inputs().stream().limit(2).noneMatch(i -> isConstant(graph, i)))
        .findFirst()
        .map(ResidualStream::new);
  }

  /** What the block was computed from, and the sums of which norms on the way are computed. */
  private static Set<String> before(Graph graph, Claim block) {
    Set<String> values =
        new HashSet<>(Reach.backward(graph, List.of(block.routing().input()), value -> false));
    graph.nodes().stream()
        .filter(node -> skips(node) && values.contains(node.output()))
        .flatMap(node -> node.outputs().stream().skip(SKIPPED_SUM))
        .toList()
        .forEach(values::add);
    return values;
  }

  private static boolean adds(Node node) {
    return node.is("Add") || skips(node);
  }

  private static boolean skips(Node node) {
    return node.domain().equals("com.microsoft") && SKIPPING.contains(node.opType());
  }

  private static boolean isOneOf(Node node, Set<String> values) {
    return values.contains(node.input(0)) || values.contains(node.input(1));
  }

  private static boolean isConstant(Graph graph, String value) {
    return graph.constant(value).isPresent();
  }

  /** True where a value is a term of the sum, laid out or typed otherwise at most. */
  public boolean adds(Graph graph, String value) {
    return isTerm(graph, sum.input(0), value) || isTerm(graph, sum.input(1), value);
  }

  private static boolean isTerm(Graph graph, String of, String value) {
    if (of.equals(value)) {
      return true;
    }
    Optional<Node> made = graph.producer(of);
    int terms = made.filter(node -> node.is("Add")).isPresent() ? 2 : 1;
    return made.filter(node -> node.is("Add") || LAYING_OUT.contains(node.opType())).stream()
        .flatMap(node -> node.inputs().stream().limit(terms))
        .anyMatch(input -> isTerm(graph, input, value));
  }

  /** The stream itself, {@code [..., width]}. */
  public String value(Ops ops) {
    int output = sum.is("Add") ? 0 : SKIPPED_SUM;
    String shown = output < sum.outputs().size() ? sum.outputs().get(output) : "";
    return shown.isEmpty() ? ops.add(sum.input(0), sum.input(1)) : shown;
  }
}
