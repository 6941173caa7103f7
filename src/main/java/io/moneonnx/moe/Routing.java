package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * One routing decision: which experts each token goes to.
 *
 * @param choice where the decision stands in the graph
 * @param topK experts chosen for each token
 * @param experts columns of the scores that experts are chosen by, {@code E}
 * @param hidden width of what experts take and put out, {@code H}: that of the router's input
 *     unless their weights say otherwise
 * @param input value {@code [..., hidden]} that the router scores, before any reshaping
 * @param router the initializer that holds the router's weight
 * @param kind what the router computes, by the name of its pattern, or {@code unknown}
 * @param gone ids whose experts the model says were pruned before: nothing of them need be found
 */
public record Routing(
    Choice choice,
    int topK,
    int experts,
    int hidden,
    String input,
    String router,
    String kind,
    Set<Integer> gone) {
  public Routing {
    gone = Set.copyOf(gone);
  }

  /** A decision between experts of which none was pruned before. */
  public Routing(
      Choice choice, int topK, int experts, int hidden, String input, String router, String kind) {
    this(choice, topK, experts, hidden, input, router, kind, Set.of());
  }

  /** True where scores are but compared with their best: activations are cut like that too. */
  boolean isThreshold() {
    return kind.equals(RoutingFinder.THRESHOLD);
  }

  /** The chosen ids, int64 {@code [tokens, topK]}. */
  public String indices(Ops ops) {
    return choice.indices(ops, topK, experts);
  }

  /**
   * The ids that a run chose, {@code topK} for each token, in the order of their routing weights.
   *
   * @param run the values that {@link Choice#shownBy} names
   */
  public long[] ids(Map<String, Tensor> run) {
    return choice.ids(run, topK, experts);
  }

  /** The same decision under the name that a form has for its kind. */
  public Routing named(String otherKind) {
    return new Routing(choice, topK, experts, hidden, input, router, otherKind, gone);
  }

  /** The same decision about experts of another width than the router's input. */
  Routing ofWidth(int otherHidden) {
    return new Routing(choice, topK, experts, otherHidden, input, router, kind, gone);
  }

  /** The same decision in a model that says that these experts were pruned before. */
  public Routing after(Set<Integer> pruned) {
    return new Routing(choice, topK, experts, hidden, input, router, kind, pruned);
  }

  /** The same decision, made elsewhere in the graph. */
  public Routing with(Choice otherChoice) {
    return new Routing(otherChoice, topK, experts, hidden, input, router, kind, gone);
  }

  /** The ids of the experts that are left, in order. */
  public List<Integer> without(Set<Integer> pruned) {
    return IntStream.range(0, experts).filter(e -> !pruned.contains(e)).boxed().toList();
  }

  /**
   * Zeros in place of {@code output}, a routed output to which no expert contributes any more.
   *
   * @param alike values of which one may be as large as the output but for its last axis
   */
  public String nothing(Ops ops, String output, String... alike) {
    ElementType type = ops.edit().type(output).orElseThrow();
    int rank = ops.edit().rank(output).orElse(2);
    if (rank > 2) {
      String like =
          Stream.concat(Stream.of(alike), Stream.of(choice.value()))
              .filter(value -> ops.edit().rank(value).orElse(0) == rank)
              .findFirst()
              .orElse(input);
      long[] tokens = LongStream.range(0, rank - 1).toArray();
      String sizes = ops.gather(ops.shape(like), ops.vector(tokens));
      return ops.zeros(ops.concat(0, List.of(sizes, ops.vector(hidden))), type);
    }
    String tokens = ops.size(indices(ops), 0);
    return ops.zeros(ops.concat(0, List.of(tokens, ops.vector(hidden))), type);
  }

  /** The same decision, of which {@code kept [..., experts]} takes some choices back. */
  public Routing keptBy(String kept) {
    return with(new Choice.Capped(choice.value(), choice.scores(), kept));
  }
}
