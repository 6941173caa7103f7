package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.RoutingWeightSource;
import io.moneonnx.passes.SlotSum;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The sums of a graph in which the rows of all slots meet their routing weights. */
final class SlotSums {
  private final Graph graph;
  private final Map<String, List<SlotSum>> byResult;

  SlotSums(Graph graph) {
    this.graph = graph;
    byResult = SlotSum.findAll(graph).stream().collect(Collectors.groupingBy(SlotSum::combined));
  }

  /** What is computed from {@code values}, up to the first sums. */
  Set<String> behind(Collection<String> values) {
    return Reach.forward(graph, values, byResult::containsKey);
  }

  /**
   * Goes on with the one sum that weighs what is computed from some values, by routing weights that
   * are not.
   *
   * @param behind what {@link #behind} returned
   * @param where what the values are, for messages
   * @param none what is said where there is no such sum
   */
  Recognition only(
      Set<String> behind,
      String where,
      Function<String, Recognition> none,
      Function<SlotSum, Recognition> then) {
    List<SlotSum> sums =
        behind.stream()
            .flatMap(value -> byResult.getOrDefault(value, List.of()).stream())
            .filter(sum -> behind.contains(sum.outputs()) && !behind.contains(sum.gates()))
            .filter(sum -> graph.constant(RoutingWeightSource.of(graph, sum.gates())).isEmpty())
            .toList();
    if (sums.isEmpty()) {
      return none.apply("no sum of weighted slots lies behind " + where);
    }
    return sums.size() == 1
        ? then.apply(sums.get(0))
        : new Recognition.Refused(
            "%d sums of weighted slots behind %s; expected one".formatted(sums.size(), where));
  }
}
