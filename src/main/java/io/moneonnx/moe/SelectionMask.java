package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Graph;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Takes experts out of a router's choice: their scores are minus infinity before anything is
 * chosen.
 *
 * <pre>{@code
 * scores = Softmax (Where (gone, -inf, logits))      where routing weights are shares of all logits
 * _, ids = TopK (Where (gone, -inf, scores), k)      always
 * groups = Reshape (Where (gone, -inf, scores))      where groups of experts are chosen first
 * _, ids = TopK (Where (gone, -inf, limited), k)     and what is not in them has been overwritten
 * }</pre>
 *
 * The experts stay the last axis, and keep their ids.
 */
public final class SelectionMask {
  /** What leaves a softmax as it is chosen from: an expert without a share comes last. */
  private static final Set<String> SHARES =
      Set.of("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze");

  private final Graph graph;
  private final Routing routing;
  private final RouterPath path;
  private final Set<Node> onTheWay = new LinkedHashSet<>();

  private SelectionMask(Graph graph, Routing routing) {
    this.graph = graph;
    this.routing = routing;
    this.path = RouterPath.of(graph, routing);
    onTheWay.addAll(path.nodes());
    path.groups().map(ExpertGroups::nodes).ifPresent(onTheWay::addAll);
  }

  /** The mask of a router in this graph; there may be an {@link #objection} to it. */
  public static SelectionMask of(Graph graph, Routing routing) {
    return new SelectionMask(graph, routing);
  }

  /** Why experts cannot be taken out of this router's choice; empty if they can. */
  public Optional<String> objection() {
    return choiceObjection().or(path::objection).or(this::otherReader);
  }

  /** Why these experts cannot be taken out of the choice; empty if they can. */
  public Optional<String> objection(Set<Integer> pruned) {
    int kept = routing.experts() - pruned.size();
    return kept < routing.topK()
        ? Optional.of(
            "%d of %d experts would be left to a router that is cut and chooses %d"
                .formatted(kept, routing.experts(), routing.topK()))
        : objection().or(() -> path.groups().flatMap(g -> g.objection(routing, pruned)));
  }

  /**
   * Takes experts out of the choice.
   *
   * @param gone booleans {@code [experts]}
   * @return what the experts are now chosen by, {@code [..., experts]}
   */
  public String mask(Ops ops, String gone) {
    Set<String> masked = masked();
    for (String value : masked) {
      ops.edit().redirect(value, without(ops, value, gone));
    }
    String scores = routing.choice().scores();
    if (masked.contains(scores)) {
      return ops.edit().current(scores);
    }
    // A share may be 0 because it is small: only the choice itself tells such an expert from one
    // that is gone. What else reads shares would meet infinity times 0.
    String chosenBy = without(ops, scores, gone);
    ops.edit().setInput(graph.producer(routing.choice().value()).orElseThrow(), 0, chosenBy);
    return chosenBy;
  }

  private static String without(Ops ops, String value, String gone) {
    ElementType type = ops.edit().type(value).orElseThrow();
    String never = ops.constant("never", Tensor.of(type, List.of(), Float.NEGATIVE_INFINITY));
    return ops.where(gone, never, ops.edit().current(value));
  }

  /** Booleans {@code [experts]}, true for those that are gone: a constant. */
  public String gone(Ops ops, Set<Integer> pruned) {
    byte[] gone = new byte[routing.experts()];
    pruned.forEach(expert -> gone[expert] = 1);
    List<Long> dims = List.of((long) gone.length);
    return ops.constant("gone", new Tensor.Inline(ElementType.BOOL, dims, ByteBuffer.wrap(gone)));
  }

  private Optional<String> choiceObjection() {
    if (routing.choice() instanceof Choice.Capped) {
      return Optional.of(
          "the router '%s' takes choices back where an expert has no capacity left"
              .formatted(routing.router()));
    } else if (routing.isThreshold()) {
      return Optional.of(
          "the router '%s' chooses by comparing scores with the least that counts"
              .formatted(routing.router()));
    }
    boolean isHidden = routing.choice() instanceof Choice.Hidden;
    Optional<Node> choice = graph.producer(routing.choice().value());
    return isHidden || choice.filter(node -> node.is("TopK") || node.is("ArgMax")).isPresent()
        ? Optional.empty()
        : Optional.of(
            "the router '%s' chooses one expert after another ('%s')"
                .formatted(routing.router(), routing.choice().value()));
  }

  /** The values of which the columns of experts that are gone are overwritten, in order. */
  private Set<String> masked() {
    Set<String> masked = new LinkedHashSet<>();
    boolean isShare = false;
    for (Node node : path.nodes()) {
      if (node.is("Softmax")) {
        masked.add(node.input(0));
        isShare = true;
      } else {
        isShare = isShare && SHARES.contains(node.opType());
      }
    }
    boolean sharesAgain = routing.choice() instanceof Choice.Hidden;
    path.groups().map(ExpertGroups::scores).ifPresent(masked::add);
    if (!isShare || sharesAgain || path.groups().isPresent()) {
      masked.add(routing.choice().scores());
    }
    return masked;
  }

  /** What reads columns of experts that are gone: as they were, or when they are infinite. */
  private Optional<String> otherReader() {
    Set<String> masked = masked();
    Set<String> shares = shares();
    return onTheWay.stream()
        .flatMap(node -> node.outputs().stream())
        .filter(value -> !value.isEmpty())
        .filter(value -> masked.contains(value) || !shares.contains(value))
        .flatMap(value -> otherReader(value).stream())
        .findFirst();
  }

  /** What leaves a softmax, where experts that are gone have no part any more. */
  private Set<String> shares() {
    return path.nodes().stream()
        .filter(node -> path.groups().isEmpty())
        .dropWhile(node -> !node.is("Softmax"))
        .map(Node::output)
        .collect(Collectors.toSet());
  }

  private Optional<String> otherReader(String value) {
    if (graph.isOutput(value)) {
      return Optional.of(
          "the scores '%s' of the router '%s' are an output of the model"
              .formatted(value, routing.router()));
    }
    return graph.consumers(value).stream()
        .filter(node -> !onTheWay.contains(node) && !isChoice(node) && !isHarmless(node, value))
        .findFirst()
        .map(
            node ->
                "the scores '%s' of the router '%s' are read by %s '%s' too"
                    .formatted(value, routing.router(), node.opType(), node.label()));
  }

  private boolean isChoice(Node node) {
    return node.outputs().contains(routing.choice().value())
        || (RoutingFinder.isFused(node) && node.input(1).equals(routing.choice().scores()));
  }

  /** Sizes, and the scores of the experts that were chosen. */
  private boolean isHarmless(Node node, String value) {
    boolean isChosen =
        node.is("GatherElements")
            && node.input(0).equals(value)
            && RoutingWeightSource.of(graph, node.input(1)).equals(routing.choice().value());
    return isChosen || RouterOperators.isSize(node);
  }
}
