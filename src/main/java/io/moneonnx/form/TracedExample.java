package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.passes.Segment;
import io.moneonnx.passes.SlotSort;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Blocks that tracing has tied to the example it was given: a loop over the experts that the
 * example chose became as many regions, or the numbers of its rows became constants. Such a graph
 * is wrong for other inputs, so that it is never taken; this form says what to do about it.
 */
final class TracedExample implements Form {
  private static final Set<String> CHOOSING = Set.of("TopK", "MatMul", "Gemm");

  private final Graph graph;
  private final List<SlotSort> sorts;
  private final Map<String, List<Segment>> fixedByRows;

  TracedExample(Graph graph) {
    this.graph = graph;
    sorts = SlotSort.findAll(graph);
    fixedByRows =
        Segment.findAll(graph).stream()
            .filter(slice -> graph.integers(slice.start()).isPresent())
            .filter(slice -> graph.integers(slice.end()).isPresent())
            .collect(Collectors.groupingBy(Segment::rows));
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
    return graph.nodes().stream()
        .filter(node -> node.is("Split") && node.intAttribute("axis", 0) == 0)
        .filter(node -> graph.integers(node.input(1)).isPresent())
        .filter(node -> isListOfHits(node.input(0), routing.choice().value()))
        .map(
            split ->
                ("%d expert regions for %d router outputs: tracing kept as many as its example input"
                        + " chose experts ('%s'), each for whichever is chosen; export again with"
                        + " experts_implementation=\"batched_mm\", or with a loop over all experts")
                    .formatted(split.outputs().size(), routing.experts(), split.label()))
        .findFirst();
  }

  private boolean isListOfHits(String value, String choice) {
    Set<String> before = Reach.backward(graph, List.of(value), choice::equals);
    return before.contains(choice)
        && before.stream()
            .flatMap(made -> graph.producer(made).stream())
            .anyMatch(node -> node.is("NonZero") || node.is("Unique"))
        && before.stream()
            .filter(made -> !made.equals(choice))
            .flatMap(made -> graph.producer(made).stream())
            .noneMatch(node -> CHOOSING.contains(node.opType()));
  }

  /** Sorted rows cut at constants, where counts are wanted. */
  private Optional<String> fixedSegments(Routing routing) {
    return sorts.stream()
        .filter(sort -> sort.experts().equals(routing.choice().value()))
        .flatMap(sort -> fixedByRows.entrySet().stream().filter(e -> isSorted(e.getKey(), sort)))
        .map(Map.Entry::getValue)
        .map(
            slices ->
                ("%d expert regions for %d router outputs, with constant bounds ('%s' is rows %d to"
                        + " %d): tracing put the counts of its example input into them; export"
                        + " again with counts that stay tensors")
                    .formatted(
                        slices.size(),
                        routing.experts(),
                        slices.get(0).segment(),
                        graph.integers(slices.get(0).start()).orElseThrow()[0],
                        graph.integers(slices.get(0).end()).orElseThrow()[0]))
        .findFirst();
  }

  /** True for rows that are gathered in the order of the sort. */
  private boolean isSorted(String rows, SlotSort sort) {
    Optional<Node> gather =
        graph.producer(rows).filter(node -> node.is("Gather") || node.is("GatherND"));
    return gather.isPresent()
        && Reach.backward(
                graph,
                List.of(gather.get().input(1)),
                value -> graph.producer(value, "TopK").isPresent())
            .contains(sort.order());
  }
}
