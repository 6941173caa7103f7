package io.moneonnx.form;

import io.moneonnx.graph.Fill;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.ChangedIds;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.ExpertWeights;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.KeptSlots;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeightSource;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.passes.ExpertCounts;
import io.moneonnx.passes.ExpertGather;
import io.moneonnx.passes.SlotSort;
import io.moneonnx.passes.SlotSum;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Slots sorted by their expert, so that each expert computes one segment of the sorted rows.
 *
 * <pre>{@code
 * order     = the slots, sorted by the ids they chose                   (a SlotSort)
 * counts    = how many slots chose each expert                          (ExpertCounts)
 * segment_e = sorted rows [sum of counts before e : that + counts [e]]
 * raw       = Concat (FFN_0 (segment_0), FFN_1 (segment_1), ...)        [slots, hidden]
 * y         = the weighted rows, back in the order of slots, summed     (a SlotSum)
 * }</pre>
 *
 * The network may be cut into segments more than once, with what is the same for all experts
 * computed on the joined rows between.
 */
final class SortedSegments implements Form {
  private static final Set<String> REORDERING =
      Set.of("Add", "Clip", "Max", "Min", "Neg", "Sub", "Where");

  private final Graph graph;
  private final ExpertSegments segments;
  private final Map<String, List<SlotSort>> sortsByIndices;
  private final List<ExpertCounts> counts;
  private final Map<String, List<ExpertGather>> gathersByIds;
  private final SlotSums sums;

  SortedSegments(Graph graph) {
    this.graph = graph;
    segments = new ExpertSegments(graph);
    sortsByIndices =
        SlotSort.findAll(graph).stream()
            .filter(sort -> isWhole(graph, sort))
            .collect(Collectors.groupingBy(SlotSort::experts));
    counts =
        ExpertCounts.findAll(graph).stream()
            .filter(count -> Fill.isZero(graph, count.zeros()))
            .filter(count -> Fill.of(graph, count.ones()).equals(Optional.of(1.0)))
            .toList();
    gathersByIds =
        ExpertGather.findAll(graph).stream().collect(Collectors.groupingBy(ExpertGather::experts));
    sums = new SlotSums(graph);
  }

  /** True where all choices of all tokens are sorted at once. */
  private static boolean isWhole(Graph graph, SlotSort sort) {
    Node topK = graph.producer(sort.order()).orElseThrow();
    boolean flat =
        graph
            .producer(topK.input(0), "Reshape")
            .flatMap(reshape -> graph.integers(reshape.input(1)))
            .filter(shape -> shape.length == 1)
            .isPresent();
    return flat
        && graph.constant(topK.input(1)).isEmpty()
        && Reach.backward(graph, List.of(topK.input(1)), sort.experts()::equals)
            .contains(sort.experts());
  }

  /** Slots are divided by how many a token has, and what is left over may be looked at too. */
  private static boolean isOtherOrder(Node node) {
    return node.domain().isEmpty() && REORDERING.contains(node.opType());
  }

  @Override
  public String name() {
    return "sorted-segments";
  }

  @Override
  public Recognition recognise(Routing routing) {
    List<SlotSort> sorts = sortsByIndices.getOrDefault(routing.choice().value(), List.of());
    if (sorts.isEmpty()) {
      return Recognition.miss(
          graph,
          SlotSort.patterns(),
          routing,
          "the slots are not sorted by the experts that they chose");
    } else if (sorts.size() > 1) {
      return new Recognition.Refused("the slots are sorted %d times".formatted(sorts.size()));
    }
    SlotSort sort = sorts.get(0);
    Optional<Node> changed = ChangedIds.of(graph, sort.order(), SortedSegments::isOtherOrder);
    if (changed.isPresent()) {
      return new Recognition.Refused(
          "the order of the slots is changed by %s '%s'"
              .formatted(changed.get().opType(), changed.get().label()));
    }
    for (ExpertCounts count : counts) {
      Set<String> sources = Set.of(routing.choice().value(), sort.ids());
      Optional<DerivedIds> ids = DerivedIds.of(graph, count.ids(), sources, routing.experts());
      Map<String, Map<Integer, String>> cuts =
          ids.isPresent() ? segments.of(count.counts(), routing.experts()) : Map.of();
      if (!cuts.isEmpty()) {
        return Recognition.unless(
            ids.get().objection(count.ids()), () -> inStages(routing, sort, count.counts(), cuts));
      }
    }
    return new Recognition.NotThisForm(
        "the slots are sorted by expert, but no segments end at the counts of their ids");
  }

  private Recognition inStages(
      Routing routing, SlotSort sort, String counted, Map<String, Map<Integer, String>> cuts) {
    List<SegmentStage> stages = new ArrayList<>();
    for (Map.Entry<String, Map<Integer, String>> cut : cuts.entrySet()) {
      SegmentStage.Found found =
          SegmentStage.of(graph, cut.getKey(), cut.getValue(), routing.experts());
      if (found.stage().isEmpty()) {
        return new Recognition.Refused(found.objection());
      }
      stages.add(found.stage().get());
    }
    List<ExpertGather> banks =
        gathersByIds.getOrDefault(sort.ids(), List.of()).stream()
            .filter(gather -> isBank(gather, routing))
            .toList();
    for (int next = 1; next < stages.size(); next++) {
      String joined = stages.get(next - 1).joined().output();
      Optional<String> objection = objection(joined, stages.get(next).rows(), banks);
      if (objection.isPresent()) {
        return new Recognition.Refused("between two stages of the experts " + objection.get());
      }
    }
    String last = stages.get(stages.size() - 1).joined().output();
    return sums.only(
        sums.behind(List.of(last)),
        "the experts' pieces",
        Recognition.Refused::new,
        sum -> combined(routing, sort, counted, stages, banks, sum));
  }

  private boolean isBank(ExpertGather gather, Routing routing) {
    return KeptSlots.stacked(graph, gather).stream()
        .allMatch(
            stacked ->
                graph
                    .constant(stacked)
                    .filter(bank -> bank.rank() > 1 && bank.dims().get(0) == routing.experts())
                    .isPresent());
  }

  /** Why {@code to} is not computed from {@code joined} row by row. */
  private Optional<String> objection(String joined, String to, List<ExpertGather> banks) {
    List<String> rows =
        Stream.concat(Stream.of(joined), banks.stream().map(ExpertGather::rows)).toList();
    RowRegion region = RowRegion.between(graph, rows, to);
    if (!region.values().contains(joined)) {
      return Optional.of("'%s' is not computed from '%s'".formatted(to, joined));
    }
    Optional<String> product =
        region
            .product()
            .map(
                node ->
                    "'%s' multiplies activations by each other: routed attention, no feed-forward"
                        .formatted(node.label()));
    return product.or(
        () -> region.foreign().map("'%s' is read, which is no row of an expert"::formatted));
  }

  private Recognition combined(
      Routing routing,
      SlotSort sort,
      String counted,
      List<SegmentStage> stages,
      List<ExpertGather> banks,
      SlotSum sum) {
    String last = stages.get(stages.size() - 1).joined().output();
    String raw = sorted(sum.outputs(), sort);
    Optional<String> objection = raw.equals(last) ? Optional.empty() : objection(last, raw, banks);
    if (objection.isPresent()) {
      return new Recognition.Refused("behind the experts' pieces " + objection.get());
    }
    Set<String> before = Reach.backward(graph, List.of(raw), stages.get(0).segments()::contains);
    List<ExpertGather> read = banks.stream().filter(b -> before.contains(b.rows())).toList();
    SortedRows sorted = new SortedRows(graph, routing, sort.order(), counted, stages, read, raw);
    return Recognition.unless(
        ClosedRegion.leak(graph, sorted.begin(), sum.combined()),
        () -> recognised(routing, sum, sorted));
  }

  /** The rows in the order of the experts that were put into that of the slots. */
  private String sorted(String outputs, SlotSort sort) {
    Optional<Node> placed =
        graph
            .producer(outputs)
            .filter(node -> node.is("Gather") || node.is("GatherND") || node.is("ScatterND"))
            .filter(
                node ->
                    Reach.backward(graph, List.of(node.input(1)), sort.order()::equals)
                        .contains(sort.order()));
    return placed
        .map(node -> beforeReshaping(node.input(node.is("ScatterND") ? 2 : 0)))
        .orElse(outputs);
  }

  private String beforeReshaping(String value) {
    return graph.producer(value, "Reshape").map(node -> node.input(0)).orElse(value);
  }

  private Recognition recognised(Routing routing, SlotSum sum, SortedRows sorted) {
    Set<String> weights = new HashSet<>(ExpertWeights.of(graph, sorted.regions()));
    sorted.banks().forEach(bank -> weights.add(bank.bank()));
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            new RoutingWeights.PerChoice(RoutingWeightSource.of(graph, sum.gates())),
            sum.combined(),
            weights,
            sorted.ffn(),
            sorted));
  }
}
