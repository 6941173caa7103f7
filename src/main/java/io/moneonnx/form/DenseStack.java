package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.moe.BlockEnd;
import io.moneonnx.moe.ChangedIds;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.ExpertWeights;
import io.moneonnx.moe.FfnFinder;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.GateValues;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.NeutralValues;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeightSource;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.passes.PickedRows;
import io.moneonnx.passes.SlotSum;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Every expert computes every token; what they make is put side by side, and each token picks the
 * rows of the experts it chose.
 *
 * <pre>{@code
 * all = Concat <axis = 1> (raw_0, raw_1, ...)            [tokens, experts, hidden]
 * raw = GatherElements <axis = 1> (all, indices)         [tokens, topK, hidden]
 * y   = ReduceSum over topK (raw * gates)
 * }</pre>
 *
 * Removing experts takes their rows out; what chose one of them picks a row of zeros behind the
 * others:
 *
 * <pre>{@code
 * all = Concat <axis = 1> (the kept ones, zeros [tokens, 1, hidden])
 * raw = GatherElements <axis = 1> (all, Gather (renumbered [experts], indices))
 * }</pre>
 */
final class DenseStack implements Form {
  private static final Set<String> SPREADING =
      Set.of("Cast", "Expand", "Identity", "Reshape", "Squeeze", "Tile", "Unsqueeze");

  private final Graph graph;
  private final NeutralValues neutral;
  private final List<PickedRows> picks;
  private final Set<String> picked;
  private final Map<String, List<SlotSum>> sumsByOutputs;

  DenseStack(Graph graph) {
    this.graph = graph;
    neutral = new NeutralValues(graph);
    picks = PickedRows.findAll(graph).stream().filter(this::isAlongTheStack).toList();
    picked = picks.stream().map(PickedRows::rows).collect(Collectors.toSet());
    sumsByOutputs =
        SlotSum.findAll(graph).stream().collect(Collectors.groupingBy(SlotSum::outputs));
  }

  private boolean isAlongTheStack(PickedRows pick) {
    long axis = graph.producer(pick.rows()).orElseThrow().intAttribute("axis", 0);
    return graph
        .producer(pick.stack(), "Concat")
        .filter(stack -> stack.intAttribute("axis", 0) == axis)
        .isPresent();
  }

  @Override
  public String name() {
    return "dense-stack";
  }

  @Override
  public Recognition recognise(Routing routing) {
    List<PickedRows> here = picks.isEmpty() ? List.of() : behind(routing);
    if (here.isEmpty()) {
      return new Recognition.NotThisForm(
          "the routing indices pick no rows of outputs that are concatenated");
    }
    GateValues gates = new GateValues(graph, neutral, routing);
    PickedRows pick = here.get(0);
    Node stack = graph.producer(pick.stack(), "Concat").orElseThrow();
    if (here.size() > 1) {
      return new Recognition.Refused(
          "%d times rows of experts are picked; expected one".formatted(here.size()));
    } else if (stack.inputs().size() != routing.experts()) {
      return new Recognition.NotThisForm(
          "%d outputs are concatenated in '%s'; expected %d"
              .formatted(stack.inputs().size(), stack.label(), routing.experts()));
    } else if (!gates.isIds(pick.ids())) {
      return new Recognition.Refused(
          "'%s' picks the rows; expected the routing indices%s"
              .formatted(pick.ids(), ChangedIds.note(graph, routing)));
    }
    return summed(routing, pick, stack);
  }

  private List<PickedRows> behind(Routing routing) {
    BlockEnd end = new BlockEnd(graph, neutral, routing);
    Set<String> behind =
        Reach.forward(
            graph,
            List.of(routing.choice().value()),
            value -> picked.contains(value) || end.isAt(value));
    return picks.stream().filter(pick -> behind.contains(pick.ids())).toList();
  }

  private Recognition summed(Routing routing, PickedRows pick, Node stack) {
    List<SlotSum> sums = sumsByOutputs.getOrDefault(pick.rows(), List.of());
    if (sums.size() != 1) {
      return new Recognition.Refused(
          "%d sums of weighted slots behind '%s'; expected one"
              .formatted(sums.size(), pick.rows()));
    }
    List<String> raws = stack.inputs().stream().map(this::raw).toList();
    return Recognition.unless(
        ClosedRegion.leak(graph, raws, sums.get(0).combined()),
        () -> claim(routing, pick, stack, sums.get(0), raws));
  }

  private Recognition claim(
      Routing routing, PickedRows pick, Node stack, SlotSum sum, List<String> raws) {
    List<Set<String>> regions =
        raws.stream()
            .map(raw -> Reach.backward(graph, List.of(raw), routing.input()::equals))
            .toList();
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            new RoutingWeights.PerChoice(RoutingWeightSource.of(graph, sum.gates())),
            sum.combined(),
            ExpertWeights.of(graph, regions),
            new FfnFinder(graph).each(raws),
            new SideBySide(graph, routing, pick, stack, raws, regions)));
  }

  /** An expert's output before it got an axis for the experts. */
  private String raw(String row) {
    return graph.producer(row, "Unsqueeze").map(node -> node.input(0)).orElse(row);
  }

  private record SideBySide(
      Graph graph,
      Routing routing,
      PickedRows pick,
      Node stack,
      List<String> raws,
      List<Set<String>> regions)
      implements Layout {
    @Override
    public Rows rows(Ops ops) {
      return new Rows.Dense(raws);
    }

    @Override
    public Optional<Rows> activations(Ops ops, List<String> values) {
      return Optional.of(new Rows.Dense(values));
    }

    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      Node gather = graph.producer(pick.rows()).orElseThrow();
      if (pruned.size() == routing.experts()) {
        ops.edit().redirect(pick.rows(), zerosLike(ops, gather.input(1)));
        return;
      }
      List<String> left = new ArrayList<>();
      long[] renumbered = new long[routing.experts()];
      Arrays.fill(renumbered, routing.experts() - pruned.size());
      for (int expert = 0; expert < routing.experts(); expert++) {
        if (!pruned.contains(expert)) {
          renumbered[expert] = left.size();
          left.add(stack.input(expert));
        }
      }
      left.add(zerosLike(ops, left.get(0)));
      ops.edit().redirect(stack.output(), ops.concat(stack.intAttribute("axis", 0), left));
      Node reader = firstReader(gather);
      int index = reader.equals(gather) ? 1 : 0;
      ops.edit().setInput(reader, index, ops.gather(ops.vector(renumbered), reader.input(index)));
    }

    private String zerosLike(Ops ops, String value) {
      return ops.zeros(ops.shape(value), ops.edit().type(pick.rows()).orElseThrow());
    }

    /** As far up as the ids lead to this one node only: there are fewest of them there. */
    private Node firstReader(Node gather) {
      Node reader = gather;
      String ids = gather.input(1);
      Node producer = graph.producer(ids).orElseThrow();
      while (!ids.equals(routing.choice().value())
          && SPREADING.contains(producer.opType())
          && graph.consumers(ids).size() == 1) {
        reader = producer;
        ids = producer.input(0);
        producer = graph.producer(ids).orElseThrow();
      }
      return reader;
    }
  }
}
