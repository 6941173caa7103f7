package io.moneonnx.moe;

import io.moneonnx.graph.Canonical;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Reach;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
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
   */
  public record Findings(List<MoeBlock> blocks, List<Refusal> refusals, List<Refusal> misses) {}

  public Findings find(Graph original) {
    Graph graph = Canonical.of(original);
    List<MoeBlock> blocks = new ArrayList<>();
    List<Refusal> refusals = new ArrayList<>();
    List<Refusal> misses = new ArrayList<>();
    Set<String> names = new HashSet<>();
    List<Form> formsHere = forms.stream().map(form -> form.in(graph)).toList();
    for (Routing routing : new RoutingFinder(graph).findAll()) {
      List<MoeBlock> claims = new ArrayList<>();
      List<String> reasons = new ArrayList<>();
      List<Refusal> near = new ArrayList<>();
      String name = BlockName.of(graph, routing);
      for (Form form : formsHere) {
        Recognition recognition = form.recognise(routing);
        if (recognition instanceof Recognition.Recognised claim) {
          claims.add(claim.block());
        } else if (recognition instanceof Recognition.Refused refused) {
          reasons.add(refused.reason());
        } else if (recognition instanceof Recognition.NotThisForm miss) {
          near.add(new Refusal(name, form.name() + ": " + miss.nearest()));
        }
      }
      if (claims.size() == 1 && reasons.isEmpty()) {
        blocks.add(claims.get(0).named(unique(name, names)));
      } else if (claims.size() > 1) {
        refusals.add(new Refusal(name, "claimed by several forms: " + forms(claims)));
      } else if (!reasons.isEmpty()) {
        refusals.add(new Refusal(name, String.join("; ", reasons)));
        misses.addAll(near);
      } else if (feedsComputation(graph, routing)) {
        refusals.add(
            new Refusal(
                name,
                "a router over %d with top-%d, but no known form of experts hangs on its choice"
                    .formatted(routing.experts(), routing.topK())));
        misses.addAll(near);
      }
    }
    return new Findings(List.copyOf(blocks), List.copyOf(refusals), List.copyOf(misses));
  }

  private static List<String> forms(List<MoeBlock> claims) {
    return claims.stream().map(MoeBlock::form).toList();
  }

  /** False for a choice that ends the graph, such as greedy decoding behind a language model. */
  private static boolean feedsComputation(Graph graph, Routing routing) {
    return Reach.forward(graph, List.of(routing.indices()), value -> false).stream()
        .flatMap(value -> graph.producer(value).stream())
        .anyMatch(node -> node.is("MatMul") || node.is("Gemm"));
  }

  private static String unique(String name, Set<String> names) {
    String unique = name;
    for (int i = 2; !names.add(unique); i++) {
      unique = name + "#" + i;
    }
    return unique;
  }
}
