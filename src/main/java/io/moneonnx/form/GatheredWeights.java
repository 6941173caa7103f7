package io.moneonnx.form;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.Atoms;
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
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

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
 *
 * <p>Slots may have several axes, such as batch, sequence and choice. Where atoms take the place of
 * the experts, these are their rows of the banks, and the slots those of {@link KeptSlots}.
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
            .flatMap(gather -> KeptSlots.stacked(graph, gather).stream())
            .flatMap(bank -> objection(bank, routing.experts()).stream())
            .findFirst()
            .or(() -> onlyNumbers(gathers)),
        () -> {
          Recognition all = combined(routing, gathers);
          List<ExpertGather> matrices =
              gathers.stream().filter(gather -> !isNumber(gather)).toList();
          boolean isScaled = !matrices.isEmpty() && matrices.size() < gathers.size();
          return all instanceof Recognition.NotThisForm && isScaled
              ? combined(routing, matrices)
              : all;
        });
  }

  /** True where one number is gathered for each slot, such as a scale of its routing weight. */
  private boolean isNumber(ExpertGather gather) {
    return Weight.behind(graph, KeptSlots.bank(graph, gather)).orElseThrow().dims().size() == 1;
  }

  /** Why what is gathered are no weights, but tables of numbers; empty if some are weights. */
  private Optional<String> onlyNumbers(List<ExpertGather> gathers) {
    List<String> banks =
        gathers.stream()
            .filter(gather -> !isNumber(gather))
            .map(gather -> KeptSlots.bank(graph, gather))
            .toList();
    boolean areNumbers =
        !banks.isEmpty()
            && banks.stream()
                .flatMap(bank -> bank(bank).constants(0).stream())
                .allMatch(name -> graph.constant(name).orElseThrow().type() == ElementType.INT64);
    return areNumbers
        ? Optional.of(
            "'%s' is int64; expected weights of experts, found numbers of what stands for them, as of their atoms"
                .formatted(banks.get(0)))
        : Optional.empty();
  }

  private WeightView bank(String value) {
    return WeightView.of(graph, value).orElseThrow();
  }

  /** Why single experts cannot be cut out of a stacked weight; empty if they can. */
  private Optional<String> objection(String bank, int experts) {
    Optional<List<Long>> known = Weight.behind(graph, bank).map(Weight::dims);
    if (known.isEmpty()) {
      return Optional.of("'%s', of a stacked weight, is no constant".formatted(bank));
    }
    List<Long> dims = known.get();
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

  /** How many axes the slots have in what is gathered; empty where that is not known. */
  private OptionalInt slotAxes(ExpertGather gather) {
    OptionalInt bank = ranks.of(KeptSlots.bank(graph, gather));
    OptionalInt rows = ranks.of(gather.rows());
    return bank.isPresent() && rows.isPresent()
        ? OptionalInt.of(rows.getAsInt() - bank.getAsInt() + 1)
        : OptionalInt.empty();
  }

  /** The fewest axes that slots have in anything that is gathered. */
  private int slotAxes(List<ExpertGather> gathers) {
    return gathers.stream().flatMapToInt(gather -> slotAxes(gather).stream()).min().orElse(1);
  }

  /** Why what is gathered is not one row of a bank for each slot, slots having so many axes. */
  private Optional<String> otherRank(ExpertGather gather, int axes) {
    OptionalInt found = slotAxes(gather);
    int bank = ranks.of(KeptSlots.bank(graph, gather)).orElse(0);
    return found.isEmpty() || found.getAsInt() == axes
        ? Optional.empty()
        : Optional.of(
            "'%s' has %d dimensions; expected %d, %s of slots before those of '%s'"
                .formatted(
                    gather.rows(),
                    bank + found.getAsInt() - 1,
                    bank + axes - 1,
                    axes == 1 ? "one" : Integer.toString(axes),
                    gather.bank()));
  }

  /** Why slots of several axes are not those of what the gathered rows meet and make. */
  private Optional<String> otherAxes(
      List<ExpertGather> gathers, String activation, String raw, int axes) {
    int rows =
        gathers.stream().mapToInt(gather -> ranks.of(gather.rows()).orElse(0)).max().orElseThrow();
    if (axes == 1) {
      return Optional.empty();
    } else if (ranks.of(raw).orElse(0) <= axes) {
      return Optional.of("'%s' is not known to have %d dimensions of slots".formatted(raw, axes));
    }
    OptionalInt met = ranks.of(activation);
    return met.equals(OptionalInt.of(rows))
        ? Optional.empty()
        : Optional.of(
            "'%s' has %s dimensions; expected %d, %d of them of slots"
                .formatted(activation, met.isPresent() ? met.getAsInt() : "unknown", rows, axes));
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
                    .flatMap(gather -> otherRank(gather, slotAxes(gathers)).stream())
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
    String activation = activations.iterator().next();
    int axes = slotAxes(gathers);
    Optional<String> objection = otherAxes(gathers, activation, sum.outputs(), axes);
    if (objection.isPresent()) {
      return new Recognition.Refused(objection.get());
    }
    Set<String> banks =
        gathers.stream()
            .flatMap(gather -> KeptSlots.stacked(graph, gather).stream())
            .flatMap(bank -> bank(bank).constants(0).stream())
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
            new Stacked(graph, routing, gathers, ffn, activation, sum.outputs(), axes)));
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
   * @param raw the value {@code [slots, hidden]} that the experts make; slots may have several axes
   * @param axes how many
   */
  private record Stacked(
      Graph graph,
      Routing routing,
      List<ExpertGather> gathers,
      Set<String> region,
      String activation,
      String raw,
      int axes)
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
      compute(ops, Atoms.without(routing.experts(), pruned), slots -> slots.gather(graph, gathers));
    }

    @Override
    public void split(Ops ops, Atoms atoms, Optional<String> bias) {
      compute(ops, atoms, slots -> slots.gatherAtoms(graph, gathers, bias));
    }

    private void compute(Ops ops, Atoms atoms, Consumer<KeptSlots> gather) {
      String ids = ops.reshape(routing.indices(ops), -1);
      List<String> shape = axes == 1 ? List.of() : List.of(shape(ops));
      KeptSlots kept = new KeptSlots(ops, routing, atoms, ids, raw, axes, shape);
      if (!kept.experts().isEmpty()) {
        String perSlot = axes == 1 ? activation : alongFirstAxis(ops);
        gather.accept(kept);
        readActivation(ops, kept.of(perSlot));
      }
      kept.spread();
    }

    /** The sizes of the axes of slots. */
    private String slots(Ops ops) {
      Node gather = graph.producer(gathers.get(0).rows()).orElseThrow();
      long[] leading = LongStream.range(0, axes).toArray();
      return ops.gather(ops.shape(gather.input(1)), ops.vector(leading));
    }

    /** The sizes {@code [..., hidden, 1...]} of what the experts make. */
    private String shape(Ops ops) {
      long[] behind = ones(ops, raw);
      behind[0] = routing.hidden();
      return ops.concat(0, List.of(slots(ops), ops.vector(behind)));
    }

    /** The activation {@code [slots, 1..., ...]} of each slot, where slots may share one. */
    private String alongFirstAxis(Ops ops) {
      long[] ones = ones(ops, activation);
      String all = ops.concat(0, List.of(slots(ops), ops.vector(ones)));
      long[] others = LongStream.range(axes, axes + ones.length).toArray();
      String behind = ops.gather(ops.shape(activation), ops.vector(others));
      String sizes = ops.concat(0, List.of(ops.vector(KeptSlots.alongFirst(axes)), behind));
      return ops.reshape(ops.expand(activation, all), sizes);
    }

    /** A one for each axis of a value behind those of slots. */
    private long[] ones(Ops ops, String value) {
      long[] ones = new long[ops.edit().rank(value).orElseThrow() - axes];
      Arrays.fill(ones, 1);
      return ones;
    }

    @Override
    public Optional<String> indivisible(Optional<String> bias) {
      return bias.filter(value -> !isGathered(value)).map(Atoms::sharedBias);
    }

    private boolean isGathered(String value) {
      Set<String> rows = gathered();
      return !Collections.disjoint(rows, Reach.backward(graph, List.of(value), rows::contains));
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
