package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Part;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Finds the weights of experts that are regions of their own. */
public final class ExpertWeights {
  private ExpertWeights() {}

  /**
   * The initializers that exactly one expert reads, or of which each reads its own part; whatever
   * several share is no expert's own, and integers are shapes and indices.
   *
   * @param regions for each expert the values it computes
   */
  public static Set<String> of(Graph graph, List<? extends Collection<String>> regions) {
    Map<Read, Long> readers =
        regions.stream()
            .flatMap(region -> read(graph, region).stream())
            .collect(Collectors.groupingBy(read -> read, Collectors.counting()));
    readers.values().removeIf(count -> count > 1);
    return readers.keySet().stream().map(Read::initializer).collect(Collectors.toSet());
  }

  /** What is read of an initializer: a part, or all of it. */
  private record Read(String initializer, Optional<Part.Range> range) {}

  private static Set<Read> read(Graph graph, Collection<String> region) {
    return region.stream()
        .flatMap(value -> graph.producer(value).stream())
        .flatMap(node -> node.reads().stream())
        .flatMap(value -> Weight.parts(graph, value))
        .filter(weight -> weight.tensor().type() != ElementType.INT64)
        .map(weight -> new Read(weight.initializer(), weight.part()))
        .collect(Collectors.toSet());
  }
}
