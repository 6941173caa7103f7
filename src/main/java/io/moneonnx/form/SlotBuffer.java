package io.moneonnx.form;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Fill;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Claim;
import io.moneonnx.moe.ClosedRegion;
import io.moneonnx.moe.ExpertGrouping;
import io.moneonnx.moe.ExpertWeights;
import io.moneonnx.moe.FfnFinder;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeightSource;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Rows;
import io.moneonnx.passes.ExpertMask;
import io.moneonnx.passes.GatedTerm;
import io.moneonnx.passes.Overwrite;
import io.moneonnx.passes.SlotSum;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A loop over the experts that tracing unrolled, in which each expert puts its outputs in the slots
 * that chose it; routing weights come after the last one.
 *
 * <pre>{@code
 * mask_e  = which choices are expert e                                  (an ExpertMask)
 * raw_e   = FFN_e (slots [mask_e])                                      [rows of e, hidden]
 * after_e = before_e, overwritten by raw_e where mask_e hits            (an Overwrite)
 * y       = ReduceSum over topK (buffer * gates), or buffer * gates where topK is 1
 * }</pre>
 *
 * What the buffer holds before the first expert stays in it for choices that are taken back: a
 * token for which its expert has no capacity. Removing expert {@code e} lets everything read {@code
 * before_e} where it read {@code after_e}, and starts from zeros in the slots of removed experts:
 *
 * <pre>{@code
 * start' = Where (Gather (is removed [experts], ids) * is kept, 0, start)
 * }</pre>
 */
final class SlotBuffer implements Form {
  private final Graph graph;
  private final Map<String, List<ChoiceMask>> masksByIndices;
  private final Map<String, List<Overwrite>> overwritesByMask;

  SlotBuffer(Graph graph) {
    this.graph = graph;
    masksByIndices =
        ExpertMask.findAll(graph).stream()
            .flatMap(mask -> ChoiceMask.of(mask).stream())
            .collect(Collectors.groupingBy(ChoiceMask::indices));
    overwritesByMask =
        Overwrite.findAll(graph).stream().collect(Collectors.groupingBy(Overwrite::mask));
  }

  @Override
  public String name() {
    return "slot-buffer";
  }

  /**
   * One expert's part of the loop.
   *
   * @param mask the mask by which its rows are put into the buffer
   * @param made everything computed from the masks of this expert
   */
  private record Expert(ChoiceMask mask, String raw, LinkChain.Link link, Set<String> made) {}

  @Override
  public Recognition recognise(Routing routing) {
    Map<Integer, List<ChoiceMask>> masks =
        masksByIndices.getOrDefault(routing.choice().value(), List.of()).stream()
            .collect(Collectors.groupingBy(ChoiceMask::expert));
    if (masks.isEmpty()) {
      return Recognition.miss(
          graph,
          ExpertMask.patterns(),
          routing,
          "no mask of a constant expert is made from the routing indices");
    }
    Map<Integer, List<Expert>> found =
        masks.values().stream()
            .flatMap(ofExpert -> experts(ofExpert).stream())
            .collect(Collectors.groupingBy(expert -> expert.mask().expert()));
    return found.isEmpty()
        ? new Recognition.NotThisForm("no expert's rows overwrite those of a buffer")
        : ExpertGrouping.complete(
            found, masks.keySet(), routing, experts -> inOneBuffer(routing, experts));
  }

  /** What hangs on the masks of one expert; exporters may compute the same mask more than once. */
  private List<Expert> experts(List<ChoiceMask> masks) {
    List<String> values = masks.stream().map(ChoiceMask::value).toList();
    return masks.stream()
        .flatMap(
            mask ->
                overwritesByMask.getOrDefault(mask.value(), List.of()).stream()
                    .map(overwrite -> expert(mask, values, overwrite)))
        .filter(expert -> expert.made().contains(expert.raw()))
        .toList();
  }

  private Expert expert(ChoiceMask mask, List<String> masks, Overwrite overwrite) {
    String before = graph.producer(overwrite.next()).orElseThrow().input(0);
    return new Expert(
        mask,
        overwrite.rows(),
        new LinkChain.Link(mask.expert(), before, overwrite.next()),
        Reach.forward(graph, masks, overwrite.next()::equals));
  }

  private Recognition inOneBuffer(Routing routing, List<Expert> experts) {
    Optional<LinkChain> chain = LinkChain.of(experts.stream().map(Expert::link).toList());
    if (chain.isEmpty()) {
      return new Recognition.Refused("the experts' outputs are not put into one buffer");
    }
    Set<Optional<String>> kept =
        experts.stream().map(expert -> expert.mask().kept()).collect(Collectors.toSet());
    if (kept.size() > 1) {
      return new Recognition.Refused("only some of the experts' masks take choices back");
    }
    Optional<String> capped = kept.iterator().next();
    if (capped.isPresent() && routing.topK() > 1) {
      return new Recognition.Refused(
          "'%s' takes back some of the %d choices of a token; expected one choice a token"
              .formatted(capped.get(), routing.topK()));
    }
    return gated(capped.map(routing::keptBy).orElse(routing), experts, chain.get());
  }

  private Recognition gated(Routing routing, List<Expert> experts, LinkChain chain) {
    List<Gated> outputs =
        gatedOutputs(routing, chain.end())
            .filter(gated -> graph.constant(gated.routingWeights()).isEmpty())
            .toList();
    if (outputs.size() != 1) {
      return new Recognition.Refused(
          "the buffer '%s' is multiplied by %d values that could be routing weights; expected one"
              .formatted(chain.end(), outputs.size()));
    }
    Gated gated = outputs.get(0);
    List<String> masks = experts.stream().map(expert -> expert.mask().value()).toList();
    return Recognition.unless(
        ClosedRegion.leak(graph, masks, gated.output()),
        () -> claim(routing, gated, experts, chain));
  }

  private Recognition claim(Routing routing, Gated gated, List<Expert> experts, LinkChain chain) {
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            new RoutingWeights.PerChoice(gated.routingWeights()),
            gated.output(),
            ExpertWeights.of(graph, experts.stream().map(Expert::made).toList()),
            experts.stream().map(expert -> expert.mask().expert()).toList(),
            new FfnFinder(graph).each(experts.stream().map(Expert::raw).toList()),
            new Buffer(graph, routing, experts, chain)));
  }

  /** The buffer times its routing weights, summed where a token has several slots. */
  private record Gated(String output, String routingWeights) {}

  private Stream<Gated> gatedOutputs(Routing routing, String buffer) {
    return routing.topK() == 1
        ? GatedTerm.findAll(graph, "outputs", buffer).stream()
            .map(term -> new Gated(term.term(), RoutingWeightSource.of(graph, term.gates())))
        : SlotSum.findAll(graph, "outputs", buffer).stream()
            .map(sum -> new Gated(sum.combined(), RoutingWeightSource.of(graph, sum.gates())));
  }

  private record Buffer(Graph graph, Routing routing, List<Expert> experts, LinkChain chain)
      implements Layout {
    /** Row by row in the order of the flattened mask, which is that of the choices. */
    @Override
    public Rows rows(Ops ops) {
      return new Rows.PerExpert(experts.stream().map(Expert::raw).toList(), slots(ops));
    }

    @Override
    public Optional<Rows> activations(Ops ops, List<String> values) {
      return Optional.of(new Rows.PerExpert(values, slots(ops)));
    }

    private String slots(Ops ops) {
      List<String> slots =
          experts.stream()
              .map(expert -> ops.nonZero(ops.reshape(expert.mask().value(), -1)))
              .toList();
      return ops.concat(0, slots);
    }

    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      boolean startsFromZeros = Fill.isZero(graph, chain.start());
      chain.bypass(ops, pruned, startsFromZeros ? chain.start() : cleared(ops, pruned));
    }

    /** What the buffer starts from, with zeros in the slots of these experts. */
    private String cleared(Ops ops, Set<Integer> pruned) {
      float[] isPruned = new float[routing.experts()];
      pruned.forEach(expert -> isPruned[expert] = 1);
      String table = ops.constant("removed", Tensor.of(List.of((long) isPruned.length), isPruned));
      String hit = ops.gather(table, routing.indices(ops));
      String counts = ops.reshape(routing.choice().whereKept(ops, hit, ElementType.FLOAT), -1, 1);
      String start = chain.start();
      ElementType type = ops.edit().type(start).orElseThrow();
      String zero = ops.constant("zero", Tensor.of(type, List.of(1L), 0f));
      String rows = ops.reshape(start, -1, routing.hidden());
      return ops.reshapeLike(ops.where(ops.greater(counts, ops.scalar(0f)), zero, rows), start);
    }
  }
}
