package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.passes.Segment;
import io.moneonnx.passes.SlotSort;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Blocks that tracing has tied to the example it was given: a loop over the experts that the
 * example chose became as many regions, or the numbers of its rows became constants. Such a graph
 * is wrong for other inputs, so that it is never taken; this form says what to do about it.
 */
final class TracedConstants implements Form {
  private static final Set<String> CHOOSING = Set.of("TopK", "MatMul", "Gemm");

  private final Graph graph;
  private final List<SlotSort> sorts;
  private final List<Cut> fixedCuts;

  /** Rows cut at constants into so many parts. */
  private record Cut(String rows, int regions, String where) {}

  TracedConstants(Graph graph) {
    this.graph = graph;
    sorts = SlotSort.findAll(graph);
    Map<String, List<Segment>> slices =
        Segment.findAll(graph).stream()
            .filter(slice -> graph.integers(slice.start()).isPresent())
            .filter(slice -> graph.integers(slice.end()).isPresent())
            .collect(Collectors.groupingBy(Segment::rows));
    fixedCuts =
        Stream.concat(
                graph.nodes().stream()
                    .filter(node -> node.is("Split") && node.intAttribute("axis", 0) == 0)
                    .filter(node -> graph.integers(node.input(1)).isPresent())
                    .map(node -> new Cut(node.input(0), node.outputs().size(), node.output())),
                slices.entrySet().stream()
                    .map(
                        slice ->
                            new Cut(
                                slice.getKey(),
                                slice.getValue().size(),
                                slice.getValue().get(0).segment())))
            .toList();
  }

  @Override
  public String name() {
    return "traced-example";
  }

  @Override
  public Recognition recognise(Routing routing) {
    return partsOfHits(routing)
        .or(() -> fixedSegments(routing))
        .<Recognition>map(Recognition.Refused::new)
        .orElse(new Recognition.NotThisForm("nothing is tied to the example of a trace"));
  }

  /** The ids that occur in the choices, taken apart into a constant number of them. */
  private Optional<String> partsOfHits(Routing routing) {
    return fixedCuts.stream()
        .filter(cut -> isListOfHits(cut.rows(), routing.choice().value()))
        .map(
            cut ->
                ("%d expert regions for %d router outputs: tracing kept one for each expert that its"
                        + " example input chose (at '%s'); export again with"
                        + " experts_implementation=\"batched_mm\", or with a loop over all experts")
                    .formatted(cut.regions(), routing.experts(), cut.where()))
        .findFirst();
  }

  /** True for hits that lie along the leading axis, and are made of the choices alone. */
  private boolean isListOfHits(String value, String choice) {
    boolean readsChoice = false;
    boolean hasHits = false;
    Set<String> seen = new HashSet<>(Set.of(choice));
    Deque<String> pending = new ArrayDeque<>(List.of(value));
    while (!pending.isEmpty()) {
      Optional<Node> made = Optional.of(pending.pop()).filter(seen::add).flatMap(graph::producer);
      if (made.filter(node -> CHOOSING.contains(node.opType())).isPresent()) {
        return false;
      }
      if (made.isPresent()) {
        readsChoice |= made.get().reads().contains(choice);
        hasHits |= made.get().is("NonZero") || made.get().is("Unique");
        pending.addAll(made.get().reads());
      }
    }
    return readsChoice && hasHits && !isPairOfRows(value);
  }

  /** True for hits as {@code NonZero} makes them: all tokens, then all slots. */
  private boolean isPairOfRows(String value) {
    Optional<Node> producer = graph.producer(value);
    return producer.filter(node -> node.is("NonZero")).isPresent()
        || producer
            .filter(node -> node.is("Cast") || node.is("Identity"))
            .filter(node -> isPairOfRows(node.input(0)))
            .isPresent();
  }

  /** Sorted rows cut at constants, where counts are wanted. */
  private Optional<String> fixedSegments(Routing routing) {
    return sorts.stream()
        .filter(sort -> sort.experts().equals(routing.choice().value()))
        .flatMap(
            sort ->
                fixedCuts.stream().filter(cut -> cut.regions() > 1 && isSorted(cut.rows(), sort)))
        .map(
            cut ->
                ("%d expert regions for %d router outputs, cut at constant bounds (at '%s'): tracing"
                        + " took the counts of its example input for them; export again with counts"
                        + " that stay tensors, not lists or arrays")
                    .formatted(cut.regions(), routing.experts(), cut.where()))
        .findFirst();
  }

  /** True for rows that are gathered in the order of the sort. */
  private boolean isSorted(String rows, SlotSort sort) {
    return graph
        .producer(rows)
        .filter(node -> node.is("Gather") || node.is("GatherND"))
        .map(node -> Reach.backward(graph, List.of(node.input(1)), this::isChosen))
        .filter(before -> before.contains(sort.order()))
        .isPresent();
  }

  private boolean isChosen(String value) {
    return graph.producer(value, "TopK").isPresent();
  }
}
