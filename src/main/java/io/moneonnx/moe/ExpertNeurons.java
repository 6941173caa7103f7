package io.moneonnx.moe;

import io.moneonnx.graph.Attribute;
import io.moneonnx.graph.BadInputException;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.graph.ValueRanks;
import io.moneonnx.moe.Channels.Packing;
import io.moneonnx.moe.Ffn.Projection;
import io.moneonnx.moe.NeuronTrace.Cut;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.IntStream;

/**
 * The neurons of one expert, or of all whose neurons are in the same values: whether they can be
 * cut, and what is left of the weights.
 */
final class ExpertNeurons {
  /** Finds the neurons of the experts of one block. */
  record Finder(Graph graph, ValueRanks ranks, Layout layout, int experts) {
    /** The neurons of one expert. */
    ExpertNeurons of(int expert, Ffn ffn) {
      return new ExpertNeurons(this, List.of(expert), List.of(ffn));
    }

    /** The neurons of all experts, each of which computes one of these, or all of them the one. */
    ExpertNeurons ofAll(List<Ffn> ffns) {
      return new ExpertNeurons(this, IntStream.range(0, experts).boxed().toList(), ffns);
    }
  }

  private final Graph graph;
  private final Layout layout;
  private final List<Integer> experts;
  private final List<Ffn> ffns;
  private final Ffn ffn;
  private final NeuronTrace trace;

  private ExpertNeurons(Finder finder, List<Integer> experts, List<Ffn> ffns) {
    this.graph = finder.graph();
    this.layout = finder.layout();
    this.experts = experts;
    this.ffns = ffns;
    this.ffn = ffns.get(0);
    this.trace = new NeuronTrace(graph, finder.ranks(), layout.gathered(), experts, ffns);
  }

  /** {@link NeuronTrace#group}. */
  OptionalInt group() {
    return trace.group();
  }

  /** The experts whose neurons are these. */
  List<Integer> experts() {
    return experts;
  }

  /** Why these experts cannot have different widths; empty if they can. */
  Optional<String> indivisible() {
    return experts.size() == 1
        ? Optional.empty()
        : trace.group().isPresent()
            ? Optional.of("their weights are quantised")
            : layout.indivisible(ffn.down().bias()).or(trace::indivisible);
  }

  /**
   * Why these experts cannot be given these neurons; empty if they can.
   *
   * @param removed experts that are removed behind the cut
   */
  Optional<String> objection(SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    if (narrow.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> misfit =
        narrow.entrySet().stream()
            .flatMap(expert -> misfit(expert.getKey(), expert.getValue()).stream())
            .findFirst();
    if (misfit.isPresent()) {
      return misfit;
    }
    Optional<String> widths = widths(narrow, removed);
    if (widths.isPresent()) {
      List<Integer> all = all(narrow, removed);
      return indivisible()
          .map(reason -> widths.get() + "; " + reason)
          .or(() -> tooNarrow(all))
          .or(() -> trace.objection(Atoms.width(all)));
    }
    Optional<String> found = trace.objection(narrow.get(narrow.firstKey()).width());
    return experts.size() > 1 ? found : found.map(reason -> of(experts.get(0), reason));
  }

  /** By expert its width, 0 for those that are removed. */
  private List<Integer> all(SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    return experts.stream()
        .map(
            expert ->
                removed.contains(expert)
                    ? Integer.valueOf(0)
                    : Optional.ofNullable(narrow.get(expert))
                        .map(NarrowExpert::width)
                        .orElse(ffn.inner()))
        .toList();
  }

  private static Optional<String> tooNarrow(List<Integer> widths) {
    int width = Atoms.width(widths);
    int widest = Collections.max(widths);
    return widest > Atoms.MOST * width
        ? Optional.of(
            "its experts are cut into atoms as wide as the largest common divisor of their widths: expected %d or more for widths up to %d, found %d"
                .formatted((widest + Atoms.MOST - 1) / Atoms.MOST, widest, width))
        : Optional.empty();
  }

  /** True where atoms take the place of these experts: some differ in width from others. */
  boolean isSplit(SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    return !narrow.isEmpty() && widths(narrow, removed).isPresent();
  }

  private static String of(int expert, String reason) {
    return "expert %d: %s".formatted(expert, reason);
  }

  /** The down projection of one of these, {@code [hidden, inner]}, where all are one constant. */
  Optional<float[]> stackedDown(int expert) {
    return trace.down().map(stack -> stack.matrix(expert));
  }

  private Optional<String> misfit(int expert, NarrowExpert narrow) {
    int last = narrow.neurons().get(narrow.width() - 1);
    if (last >= ffn.inner()) {
      return Optional.of(of(expert, "it has no neuron %d of %d".formatted(last, ffn.inner())));
    } else if (trace.group().isPresent()) {
      return narrow.isRefitted()
          ? Optional.of(of(expert, "its down projection is quantised, and is not re-fitted"))
          : ungrouped(expert, narrow.neurons(), trace.group().getAsInt());
    } else if (!narrow.isRefitted() || narrow.hidden() != ffn.hidden()) {
      String reason = "its down projection has %d rows, expected %d";
      int found = narrow.isRefitted() ? narrow.hidden() : 0;
      return Optional.of(of(expert, reason.formatted(found, ffn.hidden())));
    }
    return Optional.empty();
  }

  private Optional<String> ungrouped(int expert, List<Integer> neurons, int group) {
    Set<Integer> kept = Set.copyOf(neurons);
    return neurons.stream()
        .map(neuron -> neuron / group)
        .filter(
            each ->
                !IntStream.range(each * group, (each + 1) * group).boxed().allMatch(kept::contains))
        .findFirst()
        .map(
            each ->
                of(
                    expert,
                    "its down projection is quantised in groups of %d neurons, expected whole ones, found a part of group %d"
                        .formatted(group, each)));
  }

  /** Why experts that share their values are not given one width. */
  private Optional<String> widths(SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed) {
    List<Integer> missing =
        experts.stream().filter(e -> !removed.contains(e) && !narrow.containsKey(e)).toList();
    int first = narrow.firstKey();
    int width = narrow.get(first).width();
    if (!missing.isEmpty()) {
      return Optional.of(
          "its experts share one width: expected neurons of each, found none of expert %d"
              .formatted(missing.get(0)));
    }
    return narrow.entrySet().stream()
        .filter(expert -> expert.getValue().width() != width)
        .map(
            expert ->
                "its experts share one width: expected %d of expert %d, as of expert %d, found %d"
                    .formatted(width, expert.getKey(), first, expert.getValue().width()))
        .findFirst();
  }

  /**
   * Leaves the experts these neurons.
   *
   * @param removed experts that are removed behind the cut, or, where it {@link #isSplit}, with it
   * @param block its name, for people
   */
  void apply(Ops ops, SortedMap<Integer, NarrowExpert> narrow, Set<Integer> removed, String block) {
    if (narrow.isEmpty()) {
      return;
    }
    boolean isSplit = isSplit(narrow, removed);
    int width = isSplit ? Atoms.width(all(narrow, removed)) : narrow.get(narrow.firstKey()).width();
    Atoms atoms =
        isSplit ? Atoms.of(all(narrow, removed), width) : Atoms.without(experts.size(), Set.of());
    List<Slice> slices = slices(narrow, atoms, width);
    if (isSplit || width < ffn.inner()) {
      for (Cut cut : trace.cuts()) {
        cut(ops, cut, narrow, slices);
      }
      trace.parts().forEach(part -> cut(ops, part, narrow, slices));
      trace.rules().resize(ops, width);
    }
    if (trace.group().isPresent()) {
      round(ops, narrow);
      return;
    } else if (trace.down().isPresent()) {
      StackedWeight stack = trace.down().get();
      set(ops, stack.reader(), stack.index(), refitted(ops, stack, narrow, slices, block));
      if (isSplit) {
        layout.split(ops, atoms, ffn.down().bias());
      }
      return;
    }
    for (int i = 0; i < ffns.size(); i++) {
      int expert = experts.get(i);
      if (narrow.containsKey(expert)) {
        Projection last = ffns.get(i).down();
        Node node = graph.producer(last.product()).orElseThrow();
        String matrix =
            refitted(
                ops, last, narrow.get(expert), "block '%s': expert %d".formatted(block, expert));
        set(ops, node, node.inputs().indexOf(last.weight()), matrix);
      }
    }
  }

  /**
   * Neurons of an expert that lie together in what is written.
   *
   * @param first which of those that it keeps the first of these is
   */
  private record Slice(int expert, int first, List<Integer> neurons) {}

  private List<Slice> slices(SortedMap<Integer, NarrowExpert> narrow, Atoms atoms, int width) {
    List<Slice> slices = new ArrayList<>();
    for (int i = 0; i < experts.size(); i++) {
      int expert = experts.get(i);
      List<Integer> kept =
          narrow.containsKey(expert)
              ? narrow.get(expert).neurons()
              : IntStream.range(0, ffn.inner()).boxed().toList();
      for (int slice = 0; slice < atoms.counts().get(i); slice++) {
        int first = slice * width;
        slices.add(new Slice(expert, first, kept.subList(first, first + width)));
      }
    }
    return slices;
  }

  private void cut(Ops ops, Cut cut, SortedMap<Integer, NarrowExpert> narrow, List<Slice> slices) {
    Packing packing = cut.channels().packing();
    if (cut.stack().isPresent()) {
      StackedWeight stack = cut.stack().get();
      String kept =
          stack.keep(
              ops,
              slices.stream().map(Slice::expert).toList(),
              slices.stream()
                  .map(slice -> packing.channels(slice.neurons(), ffn.inner()))
                  .toList());
      set(ops, stack.reader(), stack.index(), kept);
    } else if (narrow.containsKey(cut.channels().owner())) {
      WeightView view = WeightView.of(graph, cut.value()).orElseThrow();
      List<Integer> neurons = narrow.get(cut.channels().owner()).neurons();
      List<Integer> channels = packing.channels(neurons, ffn.inner());
      set(ops, cut.node(), cut.index(), view.keepAlone(ops, cut.axis(), channels));
    }
  }

  private void cut(
      Ops ops, PackedPart part, SortedMap<Integer, NarrowExpert> narrow, List<Slice> slices) {
    boolean isStacked = part.owner() == Channels.ALL;
    List<Slice> own =
        isStacked ? slices : slices.stream().filter(s -> s.expert() == part.owner()).toList();
    if (isStacked || narrow.containsKey(part.owner())) {
      String kept =
          part.keep(
              ops,
              own.stream().map(slice -> isStacked ? slice.expert() : 0).toList(),
              own.stream().map(Slice::neurons).toList(),
              ffn.inner());
      set(ops, part.node(), part.input(), kept);
      if (part.node().opType().equals("MatMulNBits")) {
        int neurons = own.get(0).neurons().size();
        boolean isLast = part.rows() > 1;
        ops.edit()
            .setAttribute(
                part.node(),
                isLast ? "K" : "N",
                Attribute.of(isLast ? neurons : part.packing().channels(neurons)));
      }
    }
  }

  /** Puts down projections that are rounded again in place of what is left of the model's. */
  private void round(Ops ops, SortedMap<Integer, NarrowExpert> narrow) {
    for (int i = 0; i < ffns.size(); i++) {
      List<Integer> owners = ffns.size() < experts.size() ? experts : List.of(experts.get(i));
      List<Optional<RoundedMatrix>> matrices =
          owners.stream()
              .map(id -> Optional.ofNullable(narrow.get(id)).flatMap(NarrowExpert::rounded))
              .toList();
      Optional<RoundedMatrix> first = matrices.stream().flatMap(Optional::stream).findFirst();
      if (first.isPresent()) {
        Projection last = ffns.get(i).down();
        Node node = graph.producer(last.product()).orElseThrow();
        new RoundedDown(graph, node, last, first.get().width(), matrices)
            .apply(ops, (input, value) -> ops.edit().setInput(node, input, value));
      }
    }
  }

  /** What nothing else reads is redirected: then the node is still the exporter's own. */
  private void set(Ops ops, Node node, int index, String by) {
    String value = node.input(index);
    boolean isAlone =
        graph.consumers(value).size() == 1
            && Collections.frequency(node.inputs(), value) == 1
            && !graph.isOutput(value);
    if (isAlone) {
      ops.edit().redirect(value, by);
    } else {
      ops.edit().setInput(node, index, by);
    }
  }

  /** The down projections of all experts, stored as the model's are; others stay as they are. */
  private String refitted(
      Ops ops,
      StackedWeight stack,
      SortedMap<Integer, NarrowExpert> narrow,
      List<Slice> slices,
      String block) {
    ElementType stored = stack.tensor().type();
    narrow.forEach(
        (expert, kept) -> {
          float[] own = values(kept, true);
          requireFinite(name(block, expert), Tensor.of(stored, List.of((long) own.length), own));
        });
    Map<Integer, float[]> whole = new HashMap<>();
    return stack.of(
        ops,
        slices.size(),
        slices.get(0).neurons().size(),
        (row, column, output) -> {
          Slice slice = slices.get(row);
          int neuron = slice.first() + column;
          return narrow.containsKey(slice.expert())
              ? narrow.get(slice.expert()).down(output, neuron)
              : whole.computeIfAbsent(slice.expert(), stack::matrix)[output * ffn.inner() + neuron];
        });
  }

  private static String name(String block, int expert) {
    return "block '%s': expert %d".formatted(block, expert);
  }

  /** The down projection as its product reads it, stored in the type of the model's weight. */
  private String refitted(Ops ops, Projection last, NarrowExpert narrow, String name) {
    List<Long> dims = new ArrayList<>(WeightView.of(graph, last.weight()).orElseThrow().dims());
    dims.set(last.in(), (long) narrow.width());
    float[] values = values(narrow, last.in() < last.out());
    ElementType stored = Weight.behind(graph, last.weight()).orElseThrow().tensor().type();
    ElementType read = ops.edit().type(last.weight()).orElse(stored);
    Tensor matrix = Tensor.of(stored, dims, values);
    requireFinite(name, matrix);
    requireFinite(name, Tensor.of(read, dims, values));
    return ops.cast(ops.constant("down", matrix), read);
  }

  /** The matrix row by row, of neurons or of outputs. */
  private static float[] values(NarrowExpert narrow, boolean isInByOut) {
    int hidden = narrow.hidden();
    float[] values = new float[hidden * narrow.width()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          isInByOut
              ? narrow.down(i % hidden, i / hidden)
              : narrow.down(i / narrow.width(), i % narrow.width());
    }
    return values;
  }

  private static void requireFinite(String name, Tensor matrix) {
    for (float value : matrix.toFloats()) {
      if (!Float.isFinite(value)) {
        throw new BadInputException(
            "%s: its down projection holds %s in %s, expected finite numbers"
                .formatted(name, value, matrix.type().text()));
      }
    }
  }
}
