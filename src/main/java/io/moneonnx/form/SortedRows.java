package io.moneonnx.form;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.FfnFinder;
import io.moneonnx.moe.KeptSlots;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import io.moneonnx.passes.ExpertGather;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A block of sorted segments.
 *
 * <p>Removing experts leaves their slots out of the sorted rows. Their counts become zero, so that
 * the bounds of all others follow by themselves, and their pieces leave the {@code Concat}; at the
 * end the rows that are left are put among zeros:
 *
 * <pre>{@code
 * rows'   = Gather (rows, hits)              the sorted rows of kept experts
 * counts' = counts * is kept [experts]
 * raw'    = ScatterND (zeros [slots, hidden], hits, FFN (rows'))
 * }</pre>
 *
 * @param order the slot of each sorted row, {@code [slots]}
 * @param counts how many rows each expert has, {@code [experts]}
 * @param banks what is gathered for each sorted row by the id of its expert
 * @param raw the value {@code [slots, hidden]} that the experts make, in their order
 */
record SortedRows(
    Graph graph,
    Routing routing,
    String order,
    String counts,
    List<SegmentStage> stages,
    List<ExpertGather> banks,
    String raw)
    implements Layout {
  /** Where the block begins. */
  List<String> begin() {
    return Stream.of(
            List.of(counts),
            stages.get(0).segments(),
            banks.stream().map(ExpertGather::rows).toList())
        .flatMap(List::stream)
        .toList();
  }

  /** For each expert all that it computes by itself. */
  List<Set<String>> regions() {
    return IntStream.range(0, routing.experts()).mapToObj(this::region).toList();
  }

  private Set<String> region(int expert) {
    return stages.stream()
        .flatMap(stage -> stage.regions().get(expert).stream())
        .collect(Collectors.toSet());
  }

  @Override
  public Rows rows(Ops ops) {
    return new Rows.Permuted(raw, order);
  }

  @Override
  public Optional<Rows> activations(Ops ops, List<String> values) {
    return Optional.of(
        Set.copyOf(values).size() == 1
            ? new Rows.Permuted(values.get(0), order)
            : new Rows.PerExpert(values, order));
  }

  /** What each expert computes; empty if one is opaque. */
  List<Ffn> ffn() {
    Map<String, String> gathered = KeptSlots.banks(graph, banks);
    List<Ffn> found =
        IntStream.range(0, routing.experts())
            .mapToObj(expert -> new FfnFinder(graph, gathered, pieces(expert)).of(raw))
            .flatMap(Optional::stream)
            .toList();
    return found.size() == routing.experts() ? found : List.of();
  }

  private Map<String, String> pieces(int expert) {
    return stages.stream()
        .map(SegmentStage::joined)
        .collect(Collectors.toMap(Node::output, joined -> joined.input(expert)));
  }

  @Override
  public Set<String> gathered() {
    return banks.stream().map(ExpertGather::rows).collect(Collectors.toSet());
  }

  @Override
  public void remove(Ops ops, Set<Integer> pruned) {
    String ids = ops.gather(ops.reshape(routing.indices(ops), -1), order);
    KeptSlots kept = new KeptSlots(ops, routing, pruned, ids, raw);
    if (!kept.experts().isEmpty()) {
      cutKept(ops, kept);
      kept.gather(graph, banks);
    }
    kept.spread();
  }

  private void cutKept(Ops ops, KeptSlots kept) {
    String left = kept.without(counts);
    ops.edit().redirect(counts, left);
    String rows = kept.of(stages.get(0).rows());
    stages.get(0).cuts(graph).forEach(cut -> ops.edit().setInput(cut, 0, rows));
    for (SegmentStage stage : stages) {
      for (Node split : stage.splits(graph)) {
        ops.edit().setInput(split, 1, ops.cast(left, ElementType.INT64));
      }
      Node joined = stage.joined();
      ops.edit().setInputs(joined, kept.experts().stream().map(joined::input).toList());
    }
  }
}
