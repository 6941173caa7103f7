package io.moneonnx.form;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
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
import io.moneonnx.passes.IdMarker;
import io.moneonnx.passes.Link;
import io.moneonnx.passes.Marker;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A loop over the experts that tracing unrolled: each expert gathers the tokens that chose it, and
 * its weighted outputs are added to those rows of the block's output, one link of a chain per
 * expert.
 *
 * <pre>{@code
 * slot_e, token_e = the hits of expert e in the routing indices        (a Marker)
 * raw_e           = FFN_e (x [token_e])                                 [rows of e, hidden]
 * after_e         = before_e + scatter (token_e, raw_e * gates_e)       (a Link)
 * }</pre>
 *
 * Removing expert {@code e} lets everything read {@code before_e} where it read {@code after_e}.
 */
final class SparseLoop implements Form {
  private final Graph graph;
  private final Map<String, List<Hits>> hitsByIndices;
  private final Map<String, List<Link>> linksByToken;

  SparseLoop(Graph graph) {
    this.graph = graph;
    hitsByIndices =
        Stream.concat(
                Marker.findAll(graph).stream().flatMap(marker -> Hits.of(marker).stream()),
                IdMarker.findAll(graph).stream().flatMap(marker -> Hits.of(marker).stream()))
            .collect(Collectors.groupingBy(Hits::indices));
    linksByToken = Link.findAll(graph).stream().collect(Collectors.groupingBy(Link::token));
  }

  /** The tokens that chose one expert, and which of their choices it was. */
  private record Hits(String indices, int expert, String token, String slot) {
    /** The hits in one row of a mask {@code [experts, ...]}, by the order of its other axes. */
    static Optional<Hits> of(Marker marker) {
      long[] row = marker.expert().integers();
      boolean classesLead = marker.order().get(0) == marker.order().size() - 1;
      if (row.length != 1 || row[0] < 0 || !classesLead) {
        return Optional.empty();
      }
      long expert = row[0];
      if (marker.classes().isPresent()) {
        long[] classes = marker.classes().get().integers();
        if (row[0] >= classes.length) {
          return Optional.empty();
        }
        expert = classes[(int) row[0]];
      }
      boolean tokenFirst = marker.order().get(1) == 0;
      return Optional.of(
          new Hits(
              marker.experts(),
              (int) expert,
              tokenFirst ? marker.first() : marker.second(),
              tokenFirst ? marker.second() : marker.first()));
    }

    /** The hits of one id. */
    static Optional<Hits> of(IdMarker marker) {
      long[] id = marker.expert().integers();
      return id.length == 1
          ? Optional.of(new Hits(marker.experts(), (int) id[0], marker.token(), marker.slot()))
          : Optional.empty();
    }
  }

  @Override
  public String name() {
    return "sparse-loop";
  }

  /**
   * One expert's part of the loop, by names of values.
   *
   * @param made everything computed from the rows that the expert's marker hits
   */
  private record Expert(
      int id,
      String token,
      String slot,
      String raw,
      String routingWeights,
      LinkChain.Link link,
      Set<String> made) {}

  @Override
  public Recognition recognise(Routing routing) {
    List<Hits> hits = hitsByIndices.getOrDefault(routing.choice().value(), List.of());
    if (hits.isEmpty()) {
      return Recognition.miss(
          graph,
          Marker.patterns(),
          routing,
          "no mask of a constant expert is made from the routing indices");
    }
    Map<Integer, List<Expert>> found =
        hits.stream()
            .flatMap(ofExpert -> expert(ofExpert).stream())
            .collect(Collectors.groupingBy(Expert::id));
    return found.isEmpty()
        ? new Recognition.NotThisForm("no expert's rows are added to the block's output")
        : ExpertGrouping.complete(
            found,
            hits.stream().map(Hits::expert).collect(Collectors.toSet()),
            routing,
            experts -> inOneChain(routing, experts));
  }

  private Recognition inOneChain(Routing routing, List<Expert> experts) {
    Set<String> routingWeights =
        experts.stream().map(Expert::routingWeights).collect(Collectors.toSet());
    if (routingWeights.size() != 1) {
      return new Recognition.Refused(
          "the experts take their routing weights from different values: " + routingWeights);
    }
    Optional<LinkChain> chain = LinkChain.of(experts.stream().map(Expert::link).toList());
    if (chain.isEmpty()) {
      return new Recognition.Refused("the experts' outputs are not added up in one chain");
    }
    List<String> rows = experts.stream().flatMap(e -> Stream.of(e.token(), e.slot())).toList();
    return Recognition.unless(
        ClosedRegion.leak(graph, rows, chain.get().end()),
        () -> claim(routing, routingWeights.iterator().next(), experts, chain.get()));
  }

  private Recognition claim(
      Routing routing, String routingWeights, List<Expert> experts, LinkChain chain) {
    return new Recognition.Recognised(
        Claim.of(
            graph,
            routing,
            new RoutingWeights.PerChoice(routingWeights),
            chain.end(),
            ExpertWeights.of(graph, experts.stream().map(Expert::made).toList()),
            experts.stream().map(Expert::id).toList(),
            new FfnFinder(graph).each(experts.stream().map(Expert::raw).toList()),
            new Chain(graph, routing, experts, chain)));
  }

  private Optional<Expert> expert(Hits hits) {
    List<Link> links = linksByToken.getOrDefault(hits.token(), List.of());
    if (links.size() != 1) {
      return Optional.empty();
    }
    Link link = links.get(0);
    Set<String> made =
        Reach.forward(graph, List.of(hits.token(), hits.slot()), link.next()::equals);
    return graph
        .producer(link.scaled(), "Mul")
        .flatMap(
            product -> {
              for (int gate = 0; gate < 2; gate++) {
                String source = RoutingWeightSource.of(graph, product.input(gate));
                if (!made.contains(source) && graph.constant(source).isEmpty()) {
                  return Optional.of(
                      new Expert(
                          hits.expert(),
                          hits.token(),
                          hits.slot(),
                          product.input(1 - gate),
                          source,
                          new LinkChain.Link(hits.expert(), before(link), link.next()),
                          made));
                }
              }
              return Optional.empty();
            });
  }

  /** What a link adds to: the input of {@code ScatterND}, or of {@code Add}, that is no scatter. */
  private String before(Link link) {
    Node node = graph.producer(link.next()).orElseThrow();
    boolean scatterFirst =
        node.is("Add") && graph.producer(node.input(0), "ScatterElements").isPresent();
    return node.input(scatterFirst ? 1 : 0);
  }

  private record Chain(Graph graph, Routing routing, List<Expert> experts, LinkChain links)
      implements Layout {
    @Override
    public Rows rows(Ops ops) {
      return new Rows.PerExpert(experts.stream().map(Expert::raw).toList(), slots(ops));
    }

    @Override
    public Optional<Rows> activations(Ops ops, List<String> values) {
      return Optional.of(new Rows.PerExpert(values, slots(ops)));
    }

    private String slots(Ops ops) {
      String tokens = ops.concat(0, experts.stream().map(Expert::token).toList());
      String slots = ops.concat(0, experts.stream().map(Expert::slot).toList());
      String flat = ops.add(ops.mul(tokens, ops.vector(routing.topK())), slots);
      return ops.reshape(flat, -1);
    }

    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      links.bypass(ops, pruned);
    }
  }
}
