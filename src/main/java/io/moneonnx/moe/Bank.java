package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The weights of all experts in one value {@code [experts, ...]}: a constant, or dequantised from
 * constants, of which scales and zero points may be shared by all experts. Quantised rows move as
 * they are.
 */
public record Bank(Graph graph, String value) {
  /** Why single experts cannot be cut out of the bank; empty if they can. */
  public Optional<String> objection(int experts) {
    List<Long> dims = Weight.behind(graph, value).orElseThrow().dims();
    if (dims.isEmpty() || dims.get(0) != experts) {
      return Optional.of(
          "'%s' %s is gathered by the routing indices; wanted %d experts in front"
              .formatted(value, dims, experts));
    } else if (parts().anyMatch(part -> graph.constant(part).isEmpty())) {
      return Optional.of("the stacked weight '" + value + "' is computed, not a constant");
    }
    return parts()
        .filter(isPerExpert())
        .flatMap(part -> partObjection(part, experts).stream())
        .findFirst();
  }

  private Optional<String> partObjection(String part, int experts) {
    Tensor tensor = graph.constant(part).orElseThrow();
    if (tensor.dims().get(0) != experts) {
      return Optional.of(
          "'%s' %s, of the stacked weight '%s', has blocks of several experts"
              .formatted(part, tensor.dims(), value));
    }
    return tensor.elements() / experts * tensor.type().bits() % 8 == 0
        ? Optional.empty()
        : Optional.of("the experts of '" + part + "' do not begin at whole bytes");
  }

  /** The initializers that hold something of each expert. */
  public Set<String> initializers() {
    return parts().filter(isPerExpert()).collect(Collectors.toSet());
  }

  /** The bank of these experts only, in this order. */
  public String rows(Ops ops, List<Integer> experts) {
    Predicate<String> isPerExpert = isPerExpert();
    List<String> cut =
        parts()
            .map(
                part ->
                    isPerExpert.test(part)
                        ? ops.constant("kept", graph.constant(part).orElseThrow().rows(experts))
                        : part)
            .toList();
    return dequantised().map(node -> ops.apply(node, cut, Map.of())).orElse(cut.get(0));
  }

  private Optional<Node> dequantised() {
    return graph.producer(value, "DequantizeLinear");
  }

  private Stream<String> parts() {
    return dequantised()
        .map(node -> node.inputs().stream().filter(input -> !input.isEmpty()))
        .orElse(Stream.of(value));
  }

  /** Scales and zero points are of one size, of one for each index of an axis, or of blocks. */
  private Predicate<String> isPerExpert() {
    Optional<Node> node = dequantised();
    int rank = Weight.behind(graph, value).orElseThrow().tensor().rank();
    long axis = node.map(made -> made.intAttribute("axis", 1)).orElse(0L);
    boolean alongExperts = axis == 0 || axis == -rank;
    return part ->
        node.isEmpty()
            || part.equals(node.get().input(0))
            || switch (graph.constant(part).orElseThrow().rank()) {
              case 0 -> false;
              case 1 -> alongExperts && graph.constant(part).orElseThrow().elements() > 1;
              default -> true;
            };
  }
}
