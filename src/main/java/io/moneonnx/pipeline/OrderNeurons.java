package io.moneonnx.pipeline;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.moe.Ffn;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.NarrowExpert;
import io.moneonnx.moe.NeuronCut;
import io.moneonnx.moe.Weight;
import io.moneonnx.narrow.DownMatrix;
import io.moneonnx.narrow.Moments;
import io.moneonnx.narrow.RemovalOrder;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.NeuronOrders.Widths;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.profile.Values;
import io.moneonnx.run.RunOptions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Finds in which order the neurons of every expert go, from moments and weights. */
public final class OrderNeurons {
  private final LoadedModel subject;
  private final NeuronWork work;
  private final Console console;

  public OrderNeurons(LoadedModel subject, RunOptions options, Console console) {
    this.subject = subject;
    this.work = new NeuronWork(subject, options);
    this.console = console;
  }

  /**
   * The same profile with the orders of every block that can be narrowed and has moments; one that
   * has its orders keeps them.
   */
  public Profile of(Profile profile) {
    Map<String, NeuronCut> wanted = new HashMap<>();
    profile.blocks().stream()
        .filter(block -> block.all().detail() == Detail.MOMENTS && block.orders().isEmpty())
        .forEach(block -> neurons(block.name()).ifPresent(cut -> wanted.put(block.name(), cut)));
    int experts =
        profile.blocks().stream()
            .filter(block -> wanted.containsKey(block.name()))
            .mapToInt(BlockStatistics::experts)
            .sum();
    if (experts == 0) {
      return profile;
    }
    String what = "ordering the neurons of %,d experts".formatted(experts);
    try (Console.Progress progress = console.begin(what, experts)) {
      return profile.withBlocks(
          profile.blocks().stream()
              .map(
                  block ->
                      wanted.containsKey(block.name())
                          ? ordered(block, wanted.get(block.name()), progress)
                          : block)
              .toList());
    }
  }

  /** The neurons of a block, where its experts can be narrowed; says why not. */
  private Optional<NeuronCut> neurons(String name) {
    MoeBlock block = subject.block(name);
    NeuronCut cut = NeuronCut.of(subject.model().graph(), block);
    Optional<String> objection = objection(cut, block);
    objection.ifPresent(
        reason ->
            console.say("experts of '%s' stay as wide as they are: %s".formatted(name, reason)));
    return objection.isPresent() ? Optional.empty() : Optional.of(cut);
  }

  private static Optional<String> objection(NeuronCut cut, MoeBlock block) {
    Map<Integer, NarrowExpert> narrowest = new TreeMap<>();
    for (int expert = 0; expert < block.experts(); expert++) {
      narrowest.put(
          expert,
          cut.group().isPresent()
              ? new NarrowExpert(
                  IntStream.range(0, Math.min(block.inner(), cut.group().getAsInt())).toArray())
              : new NarrowExpert(new int[1], new float[block.hidden()]));
    }
    return cut.objection(narrowest)
        .or(
            () ->
                cut.group().orElse(0) == block.inner()
                    ? Optional.of(
                        "all their %d neurons are quantised in one group".formatted(block.inner()))
                    : Optional.empty());
  }

  private BlockStatistics ordered(
      BlockStatistics measured, NeuronCut neurons, Console.Progress progress) {
    MoeBlock block = subject.block(measured.name());
    List<Integer> starved =
        IntStream.range(0, block.experts())
            .filter(expert -> measured.get(Statistic.N).count(expert) < block.inner())
            .boxed()
            .toList();
    if (!starved.isEmpty()) {
      console.say(
          "'%s': fewer tokens chose experts %s than they have neurons, %d: which of them matter hangs on few tokens"
              .formatted(block.name(), starved, block.inner()));
    }
    List<RemovalOrder> orders =
        work.each(
            block,
            neurons,
            measured,
            IntStream.range(0, block.experts()).boxed().toList(),
            (expert, moments, down) -> {
              RemovalOrder order = order(neurons, moments, down);
              progress.step();
              return order;
            });
    IntStream removed = orders.stream().flatMapToInt(order -> Arrays.stream(order.removed()));
    DoubleStream distortions =
        orders.stream().flatMapToDouble(order -> Arrays.stream(order.distortions()));
    return measured.with(
        new NeuronOrders(
            widths(neurons, block.name()),
            neuronBytes(block),
            neurons.group().orElse(1),
            Values.counts(removed.asLongStream().toArray()),
            Values.of(distortions.toArray())));
  }

  /** By groups where the down projection is quantised, and is not re-fitted. */
  static RemovalOrder order(NeuronCut neurons, Moments moments, DownMatrix down) {
    return neurons.group().isPresent()
        ? RemovalOrder.ofGroups(moments, down, neurons.group().getAsInt())
        : RemovalOrder.of(moments, down);
  }

  /** Which widths experts can have; says why not of each its own, if so. */
  private Widths widths(NeuronCut neurons, String block) {
    if (!neurons.isShared()) {
      return Widths.OWN;
    }
    Optional<String> reason = neurons.indivisible();
    reason.ifPresent(
        why -> console.say("experts of '%s' share one width: %s".formatted(block, why)));
    return reason.isPresent() ? Widths.ONE : Widths.ATOMS;
  }

  /** What is left when an expert's bias and scales of rows, which do not shrink, are taken away. */
  private long neuronBytes(MoeBlock block) {
    Graph graph = subject.model().graph();
    Ffn ffn = block.ffn().get(0);
    long bias =
        ffn.down().bias().stream()
            .flatMap(value -> Weight.behind(graph, value).stream())
            .mapToLong(weight -> weight.tensor().type().bits() / 8L * ffn.hidden())
            .sum();
    return (block.expertBytes() - bias - scales(block, ffn)) / block.inner();
  }

  /** Bytes of the scales and zero points that each output of an expert has one of. */
  private long scales(MoeBlock block, Ffn ffn) {
    Graph graph = subject.model().graph();
    Node product = graph.producer(ffn.down().product()).orElseThrow();
    int owners = block.ffn().size() < block.experts() ? block.experts() : 1;
    return ffn.down().packed().filter(packed -> packed.block() == 0).stream()
        .flatMapToInt(
            packed -> IntStream.concat(IntStream.of(packed.scales()), packed.zeros().stream()))
        .mapToObj(input -> graph.constant(product.input(input)))
        .flatMap(Optional::stream)
        .mapToLong(scales -> scales.byteSize() / owners)
        .sum();
  }
}
