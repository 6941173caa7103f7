package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.FfnFinder;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.KeptSlots;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeightSource;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.moe.Weight;
import io.moneonnx.moe.WeightView;
import io.moneonnx.passes.ExpertGather;
import io.moneonnx.passes.SlotSum;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Stacked weights of which each slot gathers its own copy, after which all slots are computed at
 * once.
 *
 * <pre>{@code
 * rows = Gather (bank [experts, ...], ids [slots])       one for each stacked weight
 * raw  = FFN (rows, activation [slots, ...])             [slots, hidden]
 * y    = ReduceSum over topK (raw * gates)
 * }</pre>
 *
 * Removing experts leaves their rows of the banks out, computes only the slots whose expert is
 * kept, and scatters these back among zeros:
 *
 * <pre>{@code
 * hits = NonZero (Gather (is kept [experts], ids))
 * rows = Gather (bank [kept experts, ...], Gather (renumbered [experts], Gather (ids, hits)))
 * raw' = ScatterND (zeros [slots, hidden], hits, FFN (rows, Gather (activation, hits)))
 * }</pre>
 */
final class GatheredWeights implements Form {
  private final Graph graph;
  private final ValueRanks ranks;
  private final Map<String, List<ExpertGather>> gathersByIndices;
  private final SlotSums sums;

  GatheredWeights(Graph graph) {
    this.graph = graph;
    ranks = new ValueRanks(graph);
    gathersByIndices =
        ExpertGather.findAll(graph).stream()
            .filter(gather -> Weight.behind(graph, gather.bank()).isPresent())
            .collect(Collectors.groupingBy(ExpertGather::experts));
    sums = new SlotSums(graph);
  }

  @Override
  public String name() {
    return "gathered-weights";
  }

  @Override
  public Recognition recognise(Routing routing) {
    List<ExpertGather> gathers = gathersByIndices.getOrDefault(routing.choice().value(), List.of());
    if (gathers.isEmpty()) {
      return Recognition.miss(
          graph,
          ExpertGather.patterns(),
          routing,
          "what the routing indices gather are no constant weights");
    }
    return Recognition.unless(
        gathers.stream()
            .flatMap(gather -> objection(KeptSlots.bank(graph, gather), routing.experts()).stream())
            .findFirst(),
        () -> combined(routing, gathers));
  }

  private WeightView bank(String value) {
    return WeightView.of(graph, value).orElseThrow();
  }

  /** Why single experts cannot be cut out of a stacked weight; empty if they can. */
  private Optional<String> objection(String bank, int experts) {
    List<Long> dims = Weight.behind(graph, bank).orElseThrow().dims();
    if (dims.isEmpty() || dims.get(0) != experts) {
      return Optional.of(
          "'%s' %s is gathered by the routing indices; expected %d experts in front"
              .formatted(bank, dims, experts));
    }
    return WeightView.of(graph, bank)
        .map(view -> view.objection(0, experts))
        .orElseGet(
            () ->
                Optional.of("the stacked weight '%s' is computed, not a constant".formatted(bank)));
  }

  /** Why what is gathered is not one row of a bank for each slot. */
  private Optional<String> otherRank(ExpertGather gather) {
    OptionalInt bank = ranks.of(KeptSlots.bank(graph, gather));
    OptionalInt rows = ranks.of(gather.rows());
    return rows.isEmpty() || rows.equals(bank)
        ? Optional.empty()
        : Optional.of(
            "'%s' has %d dimensions; expected %d, one of slots before those of '%s'"
                .formatted(gather.rows(), rows.getAsInt(), bank.getAsInt(), gather.bank()));
  }

  private Recognition combined(Routing routing, List<ExpertGather> gathers) {
    List<String> rows = gathers.stream().map(ExpertGather::rows).toList();
    Set<String> behind = sums.behind(rows);
    return sums.only(
        behind,
        "the gathered weights",
        Recognition.NotThisForm::new,
        sum ->
            Recognition.unless(
                gathers.stream()
                    .flatMap(gather -> otherRank(gather).stream())
                    .findFirst()
                    .or(() -> ClosedRegion.leak(graph, rows, sum.combined())),
                () -> computed(routing, gathers, rows, behind, sum)));
  }

  private Recognition computed(
      Routing routing,
      List<ExpertGather> gathers,
      List<String> rows,
      Set<String> behind,
      SlotSum sum) {
    Set<String> ffn =
        Reach.backward(graph, List.of(sum.outputs()), v -> !behind.contains(v) || rows.contains(v));
    ffn.retainAll(behind);
    Set<String> activations = activations(ffn, rows);
    if (activations.size() != 1) {
      return new Recognition.Refused(
          "the gathered weights meet %d activations %s; expected one"
              .formatted(activations.size(), activations));
    }
    Set<String> banks =
        gathers.stream()
            .flatMap(gather -> bank(KeptSlots.bank(graph, gather)).constants(0).stream())
            .collect(Collectors.toSet());
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            new RoutingWeights.PerChoice(RoutingWeightSource.of(graph, sum.gates())),
            sum.combined(),
            banks,
            new FfnFinder(graph, KeptSlots.banks(graph, gathers), Map.of())
                .each(List.of(sum.outputs())),
            new Stacked(
                graph, routing, gathers, ffn, activations.iterator().next(), sum.outputs())));
  }

  /** What the experts' computation reads beside its gathered rows and constants. */
  private Set<String> activations(Set<String> ffn, List<String> rows) {
    Set<String> read = new LinkedHashSet<>();
    ffn.stream()
        .filter(value -> !rows.contains(value))
        .flatMap(value -> graph.producer(value).stream())
        .forEach(node -> read.addAll(node.reads()));
    read.removeIf(value -> ffn.contains(value) || Weight.behind(graph, value).isPresent());
    return read;
  }

  /**
   * The recognised block.
   *
   * @param region the values that the experts compute, the gathered rows included
   * @param activation the value {@code [slots, ...]} that meets the gathered rows
   * @param raw the value {@code [slots, hidden]} that the experts make
   */
  private record Stacked(
      Graph graph,
      Routing routing,
      List<ExpertGather> gathers,
      Set<String> region,
      String activation,
      String raw)
      implements Layout {
    @Override
    public Rows rows(Ops ops) {
      return new Rows.PerSlot(raw);
    }

    @Override
    public Optional<Rows> activations(Ops ops, List<String> values) {
      return Optional.of(new Rows.PerSlot(values.get(0)));
    }

    @Override
    public Set<String> gathered() {
      return gathers.stream().map(ExpertGather::rows).collect(Collectors.toSet());
    }

    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      String ids = ops.reshape(routing.indices(ops), -1);
      KeptSlots kept = new KeptSlots(ops, routing, pruned, ids, raw);
      if (!kept.experts().isEmpty()) {
        kept.gather(graph, gathers);
        readActivation(ops, kept.of(activation));
      }
      kept.spread();
    }

    private void readActivation(Ops ops, String keptActivation) {
      for (String value : region) {
        Node node = graph.producer(value).orElseThrow();
        for (int i = 0; i < node.inputs().size(); i++) {
          if (node.input(i).equals(activation)) {
            ops.edit().setInput(node, i, keptActivation);
          }
        }
      }
    }
  }
}
