package io.moneonnx.moe;

import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.ValueTypes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Finds the Mixture-of-Experts blocks of a graph: every routing decision is shown to every form,
 * and exactly one must claim it.
 */
public final class MoeFinder {
  private final List<Form.Factory> forms;

  public MoeFinder(List<Form.Factory> forms) {
    this.forms = List.copyOf(forms);
  }

  /**
   * What a graph holds.
   *
   * @param blocks what was found complete, in graph order
   * @param refusals what looks like a routed block and is left alone
   * @param misses for each refusal, how near each form came
   * @param warnings what the user should know of the blocks that were found
   * @param routings by name what is decided in them and in what is left alone, in graph order
   */
  public record Findings(
      List<MoeBlock> blocks,
      List<Refusal> refusals,
      List<Refusal> misses,
      List<Warning> warnings,
      List<Named> routings) {
    public Findings {
      blocks = List.copyOf(blocks);
      refusals = List.copyOf(refusals);
      misses = List.copyOf(misses);
      warnings = List.copyOf(warnings);
      routings = List.copyOf(routings);
    }

    /** A routing decision under the name of its block, whether or not its form is known. */
    public record Named(String name, Routing routing) {}

    private static final Findings NONE =
        new Findings(List.of(), List.of(), List.of(), List.of(), List.of());

    private static Findings taken(MoeBlock block, List<String> warnings) {
      List<Warning> ofBlock =
          warnings.stream().map(warning -> new Warning(block.name(), warning)).toList();
      return new Findings(
          List.of(block),
          List.of(),
          List.of(),
          ofBlock,
          List.of(new Named(block.name(), block.routing())));
    }

    private static Findings refused(Named routing, String reason, List<String> misses) {
      String where = routing.name();
      return new Findings(
          List.of(),
          List.of(new Refusal(where, reason)),
          misses.stream().map(miss -> new Refusal(where, miss)).toList(),
          List.of(),
          List.of(routing));
    }

    private static Findings refused(List<Refusal> refusals) {
      return new Findings(List.of(), refusals, List.of(), List.of(), List.of());
    }

    private static Findings all(List<Findings> parts) {
      return new Findings(
          join(parts, Findings::blocks),
          join(parts, Findings::refusals),
          join(parts, Findings::misses),
          join(parts, Findings::warnings),
          join(parts, Findings::routings));
    }

    private static <T> List<T> join(List<Findings> parts, Function<Findings, List<T>> part) {
      return parts.stream().map(part).flatMap(List::stream).toList();
    }
  }

  /**
   * Finds the blocks of a graph.
   *
   * @param graph in its canonical spelling
   */
  public Findings find(Graph graph) {
    return find(graph, Map.of());
  }

  /**
   * Finds the blocks of a graph of which experts may have been pruned before.
   *
   * @param graph in its canonical spelling
   * @param gone by name of block the ids of those experts
   */
  public Findings find(Graph graph, Map<String, Set<Integer>> gone) {
    List<Form> formsHere = forms.stream().map(form -> form.in(graph)).toList();
    RoutingFinder routings = new RoutingFinder(graph);
    ValueTypes types = new ValueTypes(graph);
    Set<String> names = new HashSet<>();
    List<Findings> found = new ArrayList<>();
    found.add(Findings.refused(routings.withoutRouter()));
    found.add(Findings.refused(routings.byTable()));
    found.add(Findings.refused(routings.byUnknownProduct()));
    found.add(Findings.refused(NestedRouters.of(graph)));
    found.add(Findings.refused(new SoftGates(graph).refusals()));
    for (Routing all : routings.findAll()) {
      String name = unique(BlockName.of(graph, all), names);
      Routing routing = all.after(gone.getOrDefault(name, Set.of()));
      found.add(verdict(name, graph, types, routing, Claims.of(formsHere, routing), routings));
    }
    return Findings.all(found);
  }

  /** A block, a refusal, or nothing if no experts are to be expected behind this choice. */
  private static Findings verdict(
      String name,
      Graph graph,
      ValueTypes types,
      Routing routing,
      Claims claims,
      RoutingFinder routings) {
    Findings.Named named = new Findings.Named(name, routing);
    if (claims.only().isEmpty()) {
      return claims.refused() || routings.looksRouted(routing)
          ? Findings.refused(named, claims.reason(graph, routing), claims.misses())
          : Findings.NONE;
    }
    Claim claim = claims.only().get();
    Optional<String> objection = objection(graph, claim);
    if (objection.isPresent()) {
      return Findings.refused(named, objection.get(), List.of());
    }
    return Precision.of(graph, types, claim)
        .map(precision -> Findings.taken(claims.block(name, precision), claims.warnings()))
        .orElseGet(
            () ->
                Findings.refused(
                    named,
                    "the type of the routed output '%s' is not known".formatted(claim.output()),
                    List.of()));
  }

  /** What the forms say of one routing decision. */
  private record Claims(
      Map<String, Claim> byForm, List<String> warnings, List<String> reasons, List<String> misses) {
    static Claims of(List<Form> forms, Routing routing) {
      Claims claims =
          new Claims(
              new LinkedHashMap<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (Form form : forms) {
        Recognition recognition = recognise(form, routing);
        if (recognition instanceof Recognition.Recognised recognised) {
          claims.byForm.put(form.name(), recognised.claim());
          claims.warnings.addAll(recognised.warnings());
        } else if (recognition instanceof Recognition.Refused refused) {
          claims.reasons.add(form.name() + ": " + refused.reason());
        } else if (recognition instanceof Recognition.NotThisForm miss) {
          claims.misses.add(form.name() + ": " + miss.nearest());
        }
      }
      return claims;
    }

    /** Experts may work in another width than their router: what they put out tells. */
    private static Recognition recognise(Form form, Routing routing) {
      Recognition first = form.recognise(routing);
      return first instanceof Recognition.Recognised recognised
          ? recognised.claim().ffn().stream()
              .map(Ffn::hidden)
              .filter(hidden -> hidden != recognised.claim().hidden())
              .findFirst()
              .map(hidden -> form.recognise(routing.ofWidth(hidden)))
              .orElse(first)
          : first;
    }

    /** The claim, if exactly one form has one and none refuses the block. */
    Optional<Claim> only() {
      return byForm.size() == 1 && reasons.isEmpty()
          ? byForm.values().stream().findFirst()
          : Optional.empty();
    }

    MoeBlock block(String name, Precision precision) {
      Map.Entry<String, Claim> claimed = byForm.entrySet().iterator().next();
      return new MoeBlock(name, claimed.getKey(), precision, claimed.getValue());
    }

    boolean refused() {
      return !byForm.isEmpty() || !reasons.isEmpty();
    }

    String reason(Graph graph, Routing routing) {
      if (byForm.size() > 1) {
        return "claimed by several forms: " + byForm.keySet();
      }
      if (!routing.gone().isEmpty()) {
        return "experts %s were pruned before, and what is left of this block is not found%s"
            .formatted(
                new TreeSet<>(routing.gone()),
                reasons.isEmpty() ? "" : ": " + String.join("; ", reasons));
      }
      if (!reasons.isEmpty()) {
        return String.join("; ", reasons);
      }
      return "a router chooses %d of %d, but no known form of experts depends on its choice%s"
          .formatted(routing.topK(), routing.experts(), ChangedIds.note(graph, routing));
    }
  }

  /** Why a block that a form claims is not taken all the same. */
  private static Optional<String> objection(Graph graph, Claim claim) {
    String routingWeights = claim.routingWeights().value();
    Routing routing = claim.routing();
    Set<String> before = Reach.backward(graph, List.of(routingWeights), routing.input()::equals);
    return before.contains(routing.router())
        ? Optional.empty()
        : Optional.of(
            "the routing weights '%s' do not come from the router '%s'"
                .formatted(routingWeights, routing.router()));
  }

  private static String unique(String name, Set<String> names) {
    String unique = name;
    for (int i = 2; !names.add(unique); i++) {
      unique = name + "#" + i;
    }
    return unique;
  }
}
