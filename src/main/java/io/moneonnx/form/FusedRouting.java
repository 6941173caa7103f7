package io.moneonnx.form;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Node;
import io.moneonnx.graph.Ops;
import io.moneonnx.moe.Choice;
import io.moneonnx.moe.Routing;
import io.moneonnx.moe.RoutingWeights;
import io.moneonnx.moe.Target;
import java.util.List;
import java.util.Optional;

/**
 * How a fused operator computes its routing weights, as the execution provider that runs it does:
 * values are float32 {@code [tokens, topK]}.
 */
sealed interface FusedRouting extends RoutingWeights.Hidden.Inside {
  /** A score whose share in any softmax is 0. */
  float NEVER = -1e30f;

  /** The same in float16. */
  float NEVER_HALF = -6e4f;

  /** What it is called in reports. */
  String kind();

  /** True where the operator makes the same of the scores of the chosen ones, up to a factor. */
  default boolean isSoftmax() {
    return true;
  }

  /** Why the operator does not run so; empty if it does. */
  default Optional<String> objection(Routing routing) {
    return Optional.empty();
  }

  static FusedRouting of(Node node, FusedSignature signature, Target target) {
    boolean normalised = node.intAttribute(FusedSignature.NORMALISED, 0) == 1;
    String weights = signature.weights(node);
    if (target == Target.CPU && !weights.isEmpty()) {
      return new Weights(weights, normalised);
    } else if (target == Target.CPU && signature.isQuantised()) {
      return new OverChosen("TopKSoftmax");
    } else if (target != Target.CPU && node.intAttribute(FusedSignature.SPARSE_MIXER, 0) == 1) {
      return new SparseMixer();
    }
    return normalised ? new OverChosen("SoftmaxTopKRenormalised") : new OverAll();
  }

  /** The softmax over all experts. */
  record OverAll() implements FusedRouting {
    @Override
    public String kind() {
      return "SoftmaxTopK";
    }

    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      return ops.gatherElements(ops.softmax(scores(ops, routing)), indices, 1);
    }
  }

  /** The softmax over the chosen ones: also what the one over all comes to when renormalised. */
  record OverChosen(String kind) implements FusedRouting {
    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      return ops.softmax(ops.gatherElements(scores(ops, routing), indices, 1));
    }

    @Override
    public String perExpert(Ops ops, Routing routing) {
      return ops.softmax(chosenScores(ops, routing));
    }
  }

  /** Given beside the scores; the operator drops what is next to nothing. */
  record Weights(String value, boolean normalised) implements FusedRouting {
    private static final float DROPPED = 1e-8f;

    @Override
    public String kind() {
      return normalised ? "TopKWeightsRenormalised" : "TopKWeights";
    }

    @Override
    public boolean isSoftmax() {
      return false;
    }

    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      String chosen = ops.gatherElements(ops.cast(value, ElementType.FLOAT), indices, 1);
      String weights = normalised ? shares(ops, chosen) : chosen;
      return ops.where(ops.greater(weights, ops.scalar(DROPPED)), weights, ops.scalar(0f));
    }

    private static String shares(Ops ops, String weights) {
      String total = ops.reduceSum(weights, true, 1);
      String isNothing = ops.equal(total, ops.scalar(0f));
      return ops.div(weights, ops.where(isNothing, ops.scalar(1f), total));
    }
  }

  /**
   * The best two, each with its share in a softmax over the scores that are near to it; the first
   * one is not near to the second.
   *
   * <pre>{@code
   * s = [scores, scores without the best]                      [tokens, 2, experts]
   * near = best - s <= 0.02 max (|s|, best)
   * routing weight = 1 / ReduceSum (Where (near, Exp (s - best), 0))
   * }</pre>
   */
  record SparseMixer() implements FusedRouting {
    private static final float TWICE_JITTER = 0.02f;

    @Override
    public String kind() {
      return "Sparsemixer";
    }

    @Override
    public boolean isSoftmax() {
      return false;
    }

    @Override
    public Optional<String> objection(Routing routing) {
      boolean runs = routing.topK() == 2 && (routing.experts() == 8 || routing.experts() == 16);
      return runs
          ? Optional.empty()
          : Optional.of(
              "the sparse mixer chooses %d of %d experts; expected 2 of 8 or 16"
                  .formatted(routing.topK(), routing.experts()));
    }

    @Override
    public String perChoice(Ops ops, Routing routing, String indices) {
      String scores = scores(ops, routing);
      String first = ops.gather(indices, ops.vector(0), 1);
      String none = ops.expand(ops.scalar(NEVER), ops.shape(first));
      String others = ops.scatterElements(scores, first, none, 1);
      String both = ops.concat(1, List.of(ops.unsqueeze(scores, 1), ops.unsqueeze(others, 1)));
      String best = ops.unsqueeze(ops.gatherElements(scores, indices, 1), 2);
      String below = ops.sub(best, both);
      String width = ops.mul(ops.max(ops.abs(both), best), ops.scalar(TWICE_JITTER));
      String shares = ops.where(ops.greater(below, width), ops.scalar(0f), ops.exp(ops.neg(below)));
      return ops.div(ops.scalar(1f), ops.reduceSum(shares, false, 2));
    }
  }

  /**
   * The scores of the chosen experts, and next to minus infinity for all others: float32 {@code
   * [tokens, experts]}, within the range of float16 where the scores are.
   */
  static String chosenScores(Ops ops, Routing routing) {
    Choice.Hidden choice = (Choice.Hidden) routing.choice();
    boolean isHalf = ops.edit().type(choice.scores()).equals(Optional.of(ElementType.FLOAT16));
    Ops.Best best = choice.best(ops, routing.topK(), routing.experts());
    String never =
        ops.full(ops.shape(choice.scores()), ElementType.FLOAT, isHalf ? NEVER_HALF : NEVER);
    return ops.scatterElements(never, best.ids(), best.values(), 1);
  }

  private static String scores(Ops ops, Routing routing) {
    return ops.cast(routing.choice().scores(), ElementType.FLOAT);
  }
}
