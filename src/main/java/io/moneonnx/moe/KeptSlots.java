package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.passes.ExpertGather;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The slots of a block whose expert is kept, so that only these are computed and the others are
 * zero.
 *
 * <pre>{@code
 * hits = NonZero (Gather (is kept [experts], ids [slots]))
 * raw' = ScatterND (zeros [slots, hidden], hits, raw [hits, hidden])
 * }</pre>
 *
 * <p>Where slots have several axes, such as batch, sequence and choice, hits lie along the first of
 * as many axes, and the others are 1.
 *
 * <p>Where atoms take the place of the experts, each slot stands for as many as an expert has at
 * most, of which those that its expert has are computed:
 *
 * <pre>{@code
 * hits = NonZero (Reshape (Gather (is there [experts, most], ids [slots]), [-1]))
 * raw' = ReduceSum (Reshape (ScatterND (zeros [slots * most, hidden], hits, raw), [-1, most, hidden]))
 * }</pre>
 */
public final class KeptSlots {
  private final Ops ops;
  private final Routing routing;
  private final Atoms atoms;
  private final String raw;
  private final List<String> shape;
  private final String zeros;
  private final String mask;
  private final String hits;
  private final String renumbered;

  /**
   * The slots that are left without some experts.
   *
   * @param ids the expert of each slot, in the order in which slots are computed: int64 {@code
   *     [slots]}
   * @param raw the value {@code [slots, hidden]} that the experts make, in that order
   */
  public KeptSlots(Ops ops, Routing routing, Set<Integer> pruned, String ids, String raw) {
    this(ops, routing, Atoms.without(routing.experts(), pruned), ids, raw, 1, List.of());
  }

  /**
   * The atoms of the experts of slots that may have several axes.
   *
   * @param raw the value {@code [..., hidden, 1...]} that the experts make
   * @param axes how many axes slots have in it
   * @param shape its sizes, a vector; empty where it is {@code [slots, hidden]}
   */
  public KeptSlots(
      Ops ops, Routing routing, Atoms atoms, String ids, String raw, int axes, List<String> shape) {
    this.ops = ops;
    this.shape = List.copyOf(shape);
    this.routing = routing;
    this.atoms = atoms;
    this.raw = raw;
    int most = atoms.most();
    long[] isThere = new long[routing.experts() * most];
    long[] numbers = new long[isThere.length];
    int number = 0;
    for (int expert = 0; expert < routing.experts(); expert++) {
      for (int slice = 0; slice < atoms.counts().get(expert); slice++) {
        isThere[expert * most + slice] = 1;
        numbers[expert * most + slice] = number++;
      }
    }
    String hidden = ops.vector(routing.hidden());
    mask = table(isThere);
    String kept = perPart(mask, ids);
    String slots = ops.shape(most == 1 ? ids : kept);
    zeros = ops.zeros(ops.concat(0, List.of(slots, hidden)), ops.edit().type(raw).orElseThrow());
    hits = ops.nonZero(kept);
    String rows =
        most == 1
            ? ops.gather(table(numbers), ops.gather(ids, hits))
            : ops.gather(perPart(table(numbers), ids), hits);
    renumbered = axes == 1 ? rows : ops.reshape(rows, alongFirst(axes));
  }

  /** Sizes of a vector that lies along the first of so many axes. */
  public static long[] alongFirst(int axes) {
    long[] sizes = new long[axes];
    Arrays.fill(sizes, 1);
    sizes[0] = -1;
    return sizes;
  }

  /** {@code [experts]}, or {@code [experts, most]}. */
  private String table(long... values) {
    List<Long> dims = List.of((long) routing.experts(), (long) atoms.most());
    return atoms.most() == 1 ? ops.vector(values) : ops.constant("atoms", Tensor.of(dims, values));
  }

  private String perPart(String table, String ids) {
    String found = ops.gather(table, ids);
    return atoms.most() == 1 ? found : ops.reshape(found, -1);
  }

  /** The experts that are left, in the order of their ids; as often as they have atoms. */
  public List<Integer> experts() {
    return atoms.owners();
  }

  /** Counts {@code [experts]}, of any type, without those of the experts that are gone. */
  public String without(String counts) {
    ElementType type = ops.edit().type(counts).orElseThrow();
    return ops.mul(counts, ops.cast(mask, type));
  }

  /** Those of {@code [slots, ...]} that are kept. */
  public String of(String all) {
    int most = atoms.most();
    return ops.gather(all, most == 1 ? hits : ops.div(hits, ops.vector(most)));
  }

  /** The stacked weight that is gathered, in the type in which it is: behind its cast, say. */
  public static String bank(Graph graph, ExpertGather gather) {
    return graph.producer(gather.rows()).orElseThrow().input(0);
  }

  /** Which inputs of what gathers have a row for each expert: scales and zero points have too. */
  private static List<Integer> stacked(Node gather) {
    return isPacked(gather)
        ? Stream.of(0, 2, 3).filter(input -> gather.given(input).isPresent()).toList()
        : List.of(0);
  }

  private static boolean isPacked(Node gather) {
    return gather.opType().equals("GatherBlockQuantized");
  }

  /** What has a row for each expert: the stacked weight, and the scales that it is stored with. */
  public static List<String> stacked(Graph graph, ExpertGather gather) {
    Node node = graph.producer(gather.rows()).orElseThrow();
    return stacked(node).stream().map(node::input).toList();
  }

  /** By what is gathered the stacked weight that it is gathered from, unless that is packed. */
  public static Map<String, String> banks(Graph graph, Collection<ExpertGather> gathers) {
    return gathers.stream()
        .filter(gather -> !isPacked(graph.producer(gather.rows()).orElseThrow()))
        .collect(Collectors.toMap(ExpertGather::rows, gather -> bank(graph, gather), (a, b) -> a));
  }

  /** Lets what is gathered by the ids of the slots be gathered for kept slots from kept rows. */
  public void gather(Graph graph, Collection<ExpertGather> gathers) {
    gather(
        graph,
        gathers,
        bank -> WeightView.of(graph, bank).orElseThrow().keep(ops, 0, atoms.owners()));
  }

  /**
   * The same from banks of which some hold atoms already.
   *
   * @param bias what is gathered of the first atom of an expert alone
   */
  public void gatherAtoms(Graph graph, Collection<ExpertGather> gathers, Optional<String> bias) {
    Set<String> added = new HashSet<>();
    bias.ifPresent(
        value ->
            added.addAll(Reach.backward(graph, List.of(value), each -> isBank(each, gathers))));
    for (ExpertGather gather : gathers) {
      Node node = graph.producer(gather.rows()).orElseThrow();
      gather(
          graph,
          List.of(gather),
          bank ->
              Atoms.areIn(graph, ops, bank)
                  ? ops.edit().input(node, 0)
                  : beside(
                      WeightView.of(graph, bank).orElseThrow(), added.contains(gather.rows())));
    }
  }

  private String beside(WeightView bank, boolean isBias) {
    String perAtom = bank.keep(ops, 0, atoms.owners());
    return isBias ? atoms.once(ops, perAtom, 0, bank.dims().size()) : perAtom;
  }

  private static boolean isBank(String value, Collection<ExpertGather> gathers) {
    return gathers.stream().anyMatch(gather -> gather.rows().equals(value));
  }

  private void gather(Graph graph, Collection<ExpertGather> gathers, UnaryOperator<String> kept) {
    Map<String, String> banks = new HashMap<>();
    for (ExpertGather gather : gathers) {
      Node node = graph.producer(gather.rows()).orElseThrow();
      List<String> inputs = new ArrayList<>(node.inputs());
      for (int input : stacked(node)) {
        inputs.set(input, banks.computeIfAbsent(node.input(input), kept));
      }
      inputs.set(1, renumbered);
      ops.edit()
          .redirect(
              gather.rows(),
              isPacked(node)
                  ? ops.apply(node, inputs, Map.of())
                  : ops.gather(inputs.get(0), renumbered));
    }
  }

  /** Puts zeros into the places of the slots whose expert is gone, and adds atoms up. */
  public void spread() {
    int most = atoms.most();
    String rows = shape.isEmpty() ? raw : ops.reshape(raw, -1, routing.hidden());
    String all = atoms.owners().isEmpty() ? zeros : ops.scatterRows(zeros, hits, rows);
    String perSlot =
        most == 1 ? all : ops.reduceSum(ops.reshape(all, -1, most, routing.hidden()), false, 1);
    ops.edit().redirect(raw, shape.isEmpty() ? perSlot : ops.reshape(perSlot, shape.get(0)));
  }
}
