package io.moneonnx.form;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.match.MatchFailure;
import io.moneonnx.match.Matcher;
import io.moneonnx.moe.Coefficients;
import io.moneonnx.moe.ExpertGrouping;
import io.moneonnx.moe.Form;
import io.moneonnx.moe.Layout;
import io.moneonnx.moe.MoeBlock;
import io.moneonnx.moe.Recognition;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.Rows;
import io.moneonnx.passes.Link;
import io.moneonnx.passes.Marker;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

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
  private final Map<String, List<Marker>> markersByIndices;
  private final Map<String, List<Link>> linksByToken;

  SparseLoop(Graph graph) {
    this.graph = graph;
    markersByIndices =
        Marker.findAll(graph).stream().collect(Collectors.groupingBy(Marker::experts));
    linksByToken = Link.findAll(graph).stream().collect(Collectors.groupingBy(Link::token));
  }

  @Override
  public String name() {
    return "sparse-loop";
  }

  /** One expert's part of the loop; all but the id are names of values. */
  private record Expert(
      int id,
      String token,
      String slot,
      String raw,
      String coefficients,
      String before,
      String after) {}

  @Override
  public Recognition recognise(Routing routing) {
    List<Marker> markers = markersByIndices.getOrDefault(routing.indices(), List.of());
    if (markers.isEmpty()) {
      return new Recognition.NotThisForm(
          Matcher.nearest(graph, Marker.patterns(), "experts", routing.indices())
              .map(MatchFailure::message)
              .orElse("no mask of a constant expert is made from the routing indices"));
    }
    Map<Integer, Expert> found = new HashMap<>();
    for (Marker marker : markers) {
      Optional<Expert> expert = expert(routing, marker);
      if (expert.isPresent() && found.put(expert.get().id(), expert.get()) != null) {
        return new Recognition.Refused("two regions for expert " + expert.get().id());
      }
    }
    String incomplete = ExpertGrouping.incomplete(found, routing.experts());
    if (!incomplete.isEmpty()) {
      return new Recognition.Refused(incomplete);
    }
    return inOneChain(routing, ExpertGrouping.inOrder(found, routing.experts()));
  }

  private Recognition inOneChain(Routing routing, List<Expert> experts) {
    Set<String> coefficients =
        experts.stream().map(Expert::coefficients).collect(Collectors.toSet());
    if (coefficients.size() != 1) {
      return new Recognition.Refused(
          "the experts take their coefficients from different values: " + coefficients);
    }
    Optional<String> end = chainEnd(experts);
    if (end.isEmpty()) {
      return new Recognition.Refused("the experts' outputs are not added up in one chain");
    }
    Set<String> weights = weights(experts, routing);
    return new Recognition.Recognised(
        new MoeBlock(
            routing.indices(),
            name(),
            routing,
            coefficients.iterator().next(),
            end.get(),
            weights,
            bytes(weights) / experts.size(),
            new Chain(routing.topK(), experts)));
  }

  private Optional<Expert> expert(Routing routing, Marker marker) {
    long[] id = marker.expert().tensor().toLongs();
    boolean tokenFirst = marker.order().get(1) == 0;
    String token = tokenFirst ? marker.first() : marker.second();
    String slot = tokenFirst ? marker.second() : marker.first();
    List<Link> links = linksByToken.getOrDefault(token, List.of());
    if (id.length != 1 || links.size() != 1) {
      return Optional.empty();
    }
    Link link = links.get(0);
    String before = before(graph.producer(link.next()).orElseThrow());
    return graph
        .producer(link.scaled(), "Mul")
        .flatMap(
            product -> {
              for (int gate = 0; gate < 2; gate++) {
                String source = Coefficients.source(graph, product.input(gate));
                if (!isMadeFromRows(source, token, routing)) {
                  return Optional.of(
                      new Expert(
                          (int) id[0],
                          token,
                          slot,
                          product.input(1 - gate),
                          source,
                          before,
                          link.next()));
                }
              }
              return Optional.empty();
            });
  }

  /** What a link adds to: the input of {@code ScatterND}, or of {@code Add}, that is no scatter. */
  private String before(Node link) {
    boolean scatterFirst =
        link.is("Add") && graph.producer(link.input(0), "ScatterElements").isPresent();
    return link.input(scatterFirst ? 1 : 0);
  }

  /** True for what is computed from an expert's own rows; the router knows of no such rows. */
  private boolean isMadeFromRows(String value, String token, Routing routing) {
    return Reach.backward(graph, List.of(value), v -> v.equals(routing.input()) || v.equals(token))
        .contains(token);
  }

  /** The value behind the last link, if the links form one chain through all experts. */
  private static Optional<String> chainEnd(List<Expert> experts) {
    Map<String, Expert> byBefore = new HashMap<>();
    experts.forEach(expert -> byBefore.put(expert.before(), expert));
    Set<String> made = experts.stream().map(Expert::after).collect(Collectors.toSet());
    List<String> starts =
        byBefore.keySet().stream().filter(before -> !made.contains(before)).toList();
    if (starts.size() != 1) {
      return Optional.empty();
    }
    String end = starts.get(0);
    int links = 0;
    for (; byBefore.containsKey(end); links++) {
      end = byBefore.get(end).after();
    }
    return links == experts.size() ? Optional.of(end) : Optional.empty();
  }

  /** The constants that exactly one expert reads; whatever several share is no expert's own. */
  private Set<String> weights(List<Expert> experts, Routing routing) {
    Map<String, Integer> readers = new HashMap<>();
    for (Expert expert : experts) {
      Set<String> borders = Set.of(expert.token(), routing.input());
      Reach.backward(graph, List.of(expert.raw()), borders::contains).stream()
          .filter(value -> graph.initializers().containsKey(value))
          .forEach(value -> readers.merge(value, 1, Integer::sum));
    }
    readers.values().removeIf(count -> count > 1);
    readers
        .keySet()
        .removeIf(name -> graph.initializers().get(name).tensor().type() == ElementType.INT64);
    return readers.keySet();
  }

  private long bytes(Set<String> weights) {
    return weights.stream()
        .mapToLong(name -> graph.initializers().get(name).tensor().byteSize())
        .sum();
  }

  private record Chain(int topK, List<Expert> experts) implements Layout {
    @Override
    public Rows rows(Ops ops) {
      String tokens = ops.concat(0, experts.stream().map(Expert::token).toList());
      String slots = ops.concat(0, experts.stream().map(Expert::slot).toList());
      String flat = ops.add(ops.mul(tokens, ops.vector(topK)), slots);
      return new Rows.PerExpert(experts.stream().map(Expert::raw).toList(), ops.reshape(flat, -1));
    }

    @Override
    public void remove(Ops ops, Set<Integer> pruned) {
      for (int id : pruned) {
        ops.edit().redirect(experts.get(id).after(), experts.get(id).before());
      }
    }
  }
}
