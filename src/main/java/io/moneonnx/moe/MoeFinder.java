package io.moneonnx.moe;

import io.moneonnx.graph.Canonical;
import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Flat;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.GraphEdit;
import io.moneonnx.graph.Model;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Reach;
import io.moneonnx.graph.Wire;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
    Graph flat = Flat.of(original).graph();
    Graph graph = Canonical.of(flat);
    List<MoeBlock> blocks = new ArrayList<>();
    List<Refusal> refusals = new ArrayList<>();
    List<Refusal> misses = new ArrayList<>();
    Set<String> names = new HashSet<>();
    List<Form> formsHere = forms.stream().map(form -> form.in(graph)).toList();
    for (Routing routing : new RoutingFinder(graph).findAll()) {
      String name = unique(BlockName.of(graph, routing), names);
      Claims claims = Claims.of(formsHere, routing);
      Optional<MoeBlock> block = claims.block();
      Optional<String> objection = block.flatMap(claimed -> objection(graph, claimed));
      if (objection.isEmpty() && flat != original) {
        objection = block.flatMap(claimed -> outOfReach(original, claimed));
      }
      if (objection.isPresent()) {
        refusals.add(new Refusal(name, objection.get()));
      } else if (block.isPresent()) {
        blocks.add(block.get().named(name));
      } else if (claims.refused() || feedsComputation(graph, routing)) {
        refusals.add(new Refusal(name, claims.reason(routing)));
        claims.misses().forEach(miss -> misses.add(new Refusal(name, miss)));
      }
    }
    return new Findings(List.copyOf(blocks), List.copyOf(refusals), List.copyOf(misses));
  }

  /** What the forms say of one routing decision. */
  private record Claims(List<MoeBlock> blocks, List<String> reasons, List<String> misses) {
    static Claims of(List<Form> forms, Routing routing) {
      Claims claims = new Claims(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (Form form : forms) {
        Recognition recognition = form.recognise(routing);
        if (recognition instanceof Recognition.Recognised claim) {
          claims.blocks.add(claim.block());
        } else if (recognition instanceof Recognition.Refused refused) {
          claims.reasons.add(form.name() + ": " + refused.reason());
        } else if (recognition instanceof Recognition.NotThisForm miss) {
          claims.misses.add(form.name() + ": " + miss.nearest());
        }
      }
      return claims;
    }

    /** The block, if exactly one form claims it and none refuses it. */
    Optional<MoeBlock> block() {
      return blocks.size() == 1 && reasons.isEmpty()
          ? Optional.of(blocks.get(0))
          : Optional.empty();
    }

    boolean refused() {
      return !blocks.isEmpty() || !reasons.isEmpty();
    }

    String reason(Routing routing) {
      if (blocks.size() > 1) {
        return "claimed by several forms: " + blocks.stream().map(MoeBlock::form).toList();
      }
      return reasons.isEmpty()
          ? "a router chooses %d of %d, but no known form of experts hangs on its choice"
              .formatted(routing.topK(), routing.experts())
          : String.join("; ", reasons);
    }
  }

  /** Why a block that a form claims is not taken all the same. */
  private static Optional<String> objection(Graph graph, MoeBlock block) {
    Set<String> before =
        Reach.backward(graph, List.of(block.coefficients()), block.routing().input()::equals);
    return before.contains(block.routing().router())
        ? ofOtherType(graph, block)
        : Optional.of(
            "the coefficients '%s' do not come from the router '%s'"
                .formatted(block.coefficients(), block.routing().router()));
  }

  /** Why experts cannot be taken out of the graph as it was written, which flattening hides. */
  private static Optional<String> outOfReach(Graph original, MoeBlock block) {
    List<Integer> all = IntStream.range(0, block.experts()).boxed().toList();
    Stream<Set<Integer>> tried =
        Stream.of(e -> true, e -> e % 2 == 0, (Predicate<Integer>) e -> e % 2 == 1)
            .map(some -> all.stream().filter(some).collect(Collectors.toSet()));
    return tried
        .flatMap(experts -> outOfReach(original, block, experts).stream())
        .findFirst()
        .map(
            value ->
                "'%s' lies in a branch or a loop that cannot be left out alone".formatted(value));
  }

  private static Optional<String> outOfReach(Graph original, MoeBlock block, Set<Integer> experts) {
    GraphEdit edit = new GraphEdit(new Model(original, 0, Map.of(), Map.of(), Wire.NONE));
    block.layout().remove(new Ops(edit, "mone"), experts);
    Stream.of(block.routing().indices(), block.coefficients(), block.output())
        .forEach(value -> edit.add("Identity", "mone", List.of(value), Map.of()));
    return edit.outOfReach();
  }

  /** Why the block's numbers are not of the one type that can be rewritten. */
  private static Optional<String> ofOtherType(Graph graph, MoeBlock block) {
    return Stream.concat(Stream.of(block.routing().router()), block.weights().stream())
        .filter(weight -> graph.constant(weight).orElseThrow().type() != ElementType.FLOAT)
        .findFirst()
        .map(
            weight ->
                "the weight '%s' is %s; only float is rewritten"
                    .formatted(weight, graph.constant(weight).orElseThrow().type().text()));
  }

  /** False for a choice that ends the graph, such as greedy decoding behind a language model. */
  private static boolean feedsComputation(Graph graph, Routing routing) {
    return Reach.forward(graph, List.of(routing.indices()), value -> false).stream()
        .flatMap(value -> graph.producer(value).stream())
        .anyMatch(MoeFinder::multiplies);
  }

  private static boolean multiplies(Node node) {
    return node.is("MatMul")
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
