package io.moneonnx.moe;

import io.moneonnx.graph.Canonical;
import io.moneonnx.graph.DeadCode;
import io.moneonnx.graph.Flat;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Reach;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
   */
  public record Findings(
      List<MoeBlock> blocks, List<Refusal> refusals, List<Refusal> misses, List<Warning> warnings) {
    public Findings {
      blocks = List.copyOf(blocks);
      refusals = List.copyOf(refusals);
      misses = List.copyOf(misses);
      warnings = List.copyOf(warnings);
    }
  }

  public Findings find(Graph original) {
    Graph flat = Flat.of(original).graph();
    Graph graph = DeadCode.remove(Canonical.of(flat));
    List<MoeBlock> blocks = new ArrayList<>();
    List<Refusal> refusals = new ArrayList<>();
    List<Refusal> misses = new ArrayList<>();
    List<Warning> warnings = new ArrayList<>();
    Set<String> names = new HashSet<>();
    List<Form> formsHere = forms.stream().map(form -> form.in(graph)).toList();
    RoutingFinder routings = new RoutingFinder(graph);
    refusals.addAll(routings.withoutRouter());
    for (Routing routing : routings.findAll()) {
      String name = unique(BlockName.of(graph, routing), names);
      Claims claims = Claims.of(formsHere, routing);
      Optional<String> objection = claims.only().flatMap(claim -> objection(graph, claim));
      if (objection.isEmpty() && flat != original) {
        objection = claims.only().flatMap(claim -> OutOfReach.reason(original, claim));
      }
      Optional<Precision> precision = claims.only().flatMap(claim -> Precision.of(graph, claim));
      if (objection.isPresent()) {
        refusals.add(new Refusal(name, objection.get()));
      } else if (claims.only().isPresent() && precision.isEmpty()) {
        refusals.add(
            new Refusal(
                name,
                "the type of the routed output '%s' is not known"
                    .formatted(claims.only().get().output())));
      } else if (claims.only().isPresent()) {
        blocks.add(claims.block(name, precision.orElseThrow()));
        claims.warnings().forEach(warning -> warnings.add(new Warning(name, warning)));
      } else if (claims.refused() || looksRouted(graph, routing)) {
        refusals.add(new Refusal(name, claims.reason(graph, routing)));
        claims.misses().forEach(miss -> misses.add(new Refusal(name, miss)));
      }
    }
    return new Findings(blocks, refusals, misses, warnings);
  }

  /** What the forms say of one routing decision. */
  private record Claims(
      Map<String, Claim> byForm, List<String> warnings, List<String> reasons, List<String> misses) {
    static Claims of(List<Form> forms, Routing routing) {
      Claims claims =
          new Claims(
              new LinkedHashMap<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (Form form : forms) {
        Recognition recognition = form.recognise(routing);
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
      if (!reasons.isEmpty()) {
        return String.join("; ", reasons);
      }
      return "a router chooses %d of %d, but no known form of experts hangs on its choice%s"
          .formatted(routing.topK(), routing.experts(), ChangedIds.note(graph, routing));
    }
  }

  /** Why a block that a form claims is not taken all the same. */
  private static Optional<String> objection(Graph graph, Claim claim) {
    String coefficients = claim.coefficients().value();
    Routing routing = claim.routing();
    Set<String> before = Reach.backward(graph, List.of(coefficients), routing.input()::equals);
    return before.contains(routing.router())
        ? Optional.empty()
        : Optional.of(
            "the coefficients '%s' do not come from the router '%s'"
                .formatted(coefficients, routing.router()));
  }

  /**
   * False for a choice that ends the graph, such as greedy decoding behind a language model, and
   * for scores that are but compared with their best: activations are cut like that too.
   */
  private static boolean looksRouted(Graph graph, Routing routing) {
    return !routing.isThreshold() && feedsComputation(graph, routing);
  }

  private static boolean feedsComputation(Graph graph, Routing routing) {
    List<String> choice = List.of(routing.choice().value());
    Set<String> before = Reach.backward(graph, choice, value -> false);
    Set<String> behind = Reach.forward(graph, choice, value -> false);
    return Reach.backward(graph, behind, before::contains).stream()
        .filter(value -> !before.contains(value))
        .flatMap(value -> graph.producer(value).stream())
        .anyMatch(MoeFinder::multiplies);
  }

  private static boolean multiplies(Node node) {
    return node.opType().startsWith("MatMul")
        || node.is("Gemm")
        || node.subgraphs().stream()
            .anyMatch(body -> body.nodes().stream().anyMatch(MoeFinder::multiplies));
  }

  private static String unique(String name, Set<String> names) {
    String unique = name;
    for (int i = 2; !names.add(unique); i++) {
      unique = name + "#" + i;
    }
    return unique;
  }
}
