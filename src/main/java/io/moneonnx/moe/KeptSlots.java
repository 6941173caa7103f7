package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import io.moneonnx.passes.ExpertGather;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

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
 */
public final class KeptSlots {
  private final Ops ops;
  private final List<Integer> experts;
  private final String raw;
  private final int hidden;
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
    this(ops, routing, pruned, ids, raw, 1, List.of());
  }

  /**
   * The slots that are left, of slots with several axes.
   *
   * @param raw the value {@code [..., hidden, 1...]} that the experts make
   * @param axes how many axes slots have in it
   * @param shape its sizes, a vector; empty where it is {@code [slots, hidden]}
   */
  public KeptSlots(
      Ops ops,
      Routing routing,
      Set<Integer> pruned,
      String ids,
      String raw,
      int axes,
      List<String> shape) {
    this.ops = ops;
    this.raw = raw;
    this.hidden = routing.hidden();
    this.shape = List.copyOf(shape);
    experts = routing.without(pruned);
    String rows = ops.concat(0, List.of(ops.shape(ids), ops.vector(routing.hidden())));
    zeros = ops.zeros(rows, ops.edit().type(raw).orElseThrow());
    long[] isKept = new long[routing.experts()];
    long[] ranks = new long[routing.experts()];
    for (int rank = 0; rank < experts.size(); rank++) {
      isKept[experts.get(rank)] = 1;
      ranks[experts.get(rank)] = rank;
    }
    mask = ops.vector(isKept);
    hits = ops.nonZero(ops.gather(mask, ids));
    String kept = ops.gather(ops.vector(ranks), ops.gather(ids, hits));
    renumbered = axes == 1 ? kept : ops.reshape(kept, alongFirst(axes));
  }

  /** Sizes of a vector that lies along the first of so many axes. */
  public static long[] alongFirst(int axes) {
    long[] sizes = new long[axes];
    Arrays.fill(sizes, 1);
    sizes[0] = -1;
    return sizes;
  }

  /** The experts that are left, in the order of their ids. */
  public List<Integer> experts() {
    return experts;
  }

  /** Counts {@code [experts]}, of any type, without those of the experts that are gone. */
  public String without(String counts) {
    ElementType type = ops.edit().type(counts).orElseThrow();
    return ops.mul(counts, ops.cast(mask, type));
  }

  /** Those of {@code [slots, ...]} that are kept. */
  public String of(String all) {
    return ops.gather(all, hits);
  }

  /** The stacked weight that is gathered, in the type in which it is: behind its cast, say. */
  public static String bank(Graph graph, ExpertGather gather) {
    return graph.producer(gather.rows()).orElseThrow().input(0);
  }

  /** By what is gathered the stacked weight that it is gathered from. */
  public static Map<String, String> banks(Graph graph, Collection<ExpertGather> gathers) {
    return gathers.stream()
        .collect(Collectors.toMap(ExpertGather::rows, gather -> bank(graph, gather), (a, b) -> a));
  }

  /** Lets what is gathered by the ids of the slots be gathered for kept slots from kept rows. */
  public void gather(Graph graph, Collection<ExpertGather> gathers) {
    Map<String, String> banks = new HashMap<>();
    for (ExpertGather gather : gathers) {
      String kept =
          banks.computeIfAbsent(
              bank(graph, gather),
              bank -> WeightView.of(graph, bank).orElseThrow().keep(ops, 0, experts));
      ops.edit().redirect(gather.rows(), ops.gather(kept, renumbered));
    }
  }

  /** Puts zeros into the places of the slots whose expert is gone. */
  public void spread() {
    String rows = shape.isEmpty() ? raw : ops.reshape(raw, -1, hidden);
    String spread = experts.isEmpty() ? zeros : ops.scatterRows(zeros, hits, rows);
    ops.edit().redirect(raw, shape.isEmpty() ? spread : ops.reshape(spread, shape.get(0)));
  }
}
