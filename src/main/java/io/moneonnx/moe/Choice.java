package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Where a routing decision stands in the graph. */
public sealed interface Choice {
  /** The value from which the decision is read: what forms look for, and a block's border. */
  String value();

  /** Value {@code [..., experts]}: what the experts are chosen by. */
  String scores();

  /** True where a value of the graph holds the ids; false where an operator chooses within. */
  default boolean isShown() {
    return true;
  }

  /** The chosen ids, int64 {@code [tokens, topK]}. */
  String indices(Ops ops, int topK, int experts);

  /**
   * {@code perToken [tokens, 1]}, float32, with 0 for tokens of which rounding or a tie decides
   * whom they choose: what is rebuilt from the choice may differ from what the block does there.
   * Where that is all tokens, none is left out.
   */
  default String whereDecided(Ops ops, String perToken, int topK, int experts) {
    return perToken;
  }

  /** The values of a run that say which experts were chosen. */
  default List<String> shownBy() {
    return List.of(value());
  }

  /**
   * The ids that a run chose, {@code topK} for each token, in the order of their routing weights.
   *
   * @param run values of {@link #shownBy} by name
   */
  default long[] ids(Map<String, Tensor> run, int topK, int experts) {
    return run.get(value()).toLongs();
  }

  /**
   * Tells the slots of a run that count from those that were taken back.
   *
   * @param run values of {@link #shownBy} by name
   */
  default IntPredicate kept(Map<String, Tensor> run, int experts) {
    return slot -> true;
  }

  /** What {@link #value} is in a run with these choices; {@code like} is what it was in another. */
  Tensor made(MadeChoices choices, Tensor like);

  /** The elements of {@link #value} that say whom so many tokens choose. */
  default long elements(int tokens, int topK, int experts) {
    return (long) tokens * topK;
  }

  /** The same choice by other scores. */
  Choice by(String otherScores);

  /**
   * {@code perChoice [tokens, topK]}, of this type, with 0 for the choices that were taken back.
   */
  default String whereKept(Ops ops, String perChoice, ElementType type) {
    return perChoice;
  }

  /**
   * The graph holds the ids of the chosen experts.
   *
   * @param value int64 {@code [..., topK]}
   */
  record Indices(String value, String scores) implements Choice {
    @Override
    public String indices(Ops ops, int topK, int experts) {
      return ops.reshape(value, -1, topK);
    }

    @Override
    public Tensor made(MadeChoices choices, Tensor like) {
      return choices.ids(like);
    }

    @Override
    public Choice by(String otherScores) {
      return new Indices(value, otherScores);
    }
  }

  /**
   * The graph holds the id of the one chosen expert, and takes some choices back: those of tokens
   * that an expert has no capacity for. No expert's row is in the block's output for them.
   *
   * @param value int64 {@code [...]}
   * @param kept value {@code [..., experts]}: not 0 at the expert that a token goes to
   */
  record Capped(String value, String scores, String kept) implements Choice {
    @Override
    public String indices(Ops ops, int topK, int experts) {
      return ops.reshape(value, -1, topK);
    }

    @Override
    public List<String> shownBy() {
      return List.of(value, kept);
    }

    @Override
    public IntPredicate kept(Map<String, Tensor> run, int experts) {
      Tensor perExpert = run.get(kept);
      boolean[] isKept = new boolean[Math.toIntExact(perExpert.elements())];
      if (perExpert.type().isFloating()) {
        float[] values = perExpert.toFloats();
        IntStream.range(0, values.length).forEach(i -> isKept[i] = values[i] != 0);
      } else {
        long[] values = perExpert.toLongs();
        IntStream.range(0, values.length).forEach(i -> isKept[i] = values[i] != 0);
      }
      return slot -> IntStream.range(slot * experts, (slot + 1) * experts).anyMatch(i -> isKept[i]);
    }

    @Override
    public Tensor made(MadeChoices choices, Tensor like) {
      return choices.ids(like);
    }

    @Override
    public Choice by(String otherScores) {
      return new Capped(value, otherScores, kept);
    }

    @Override
    public String whereKept(Ops ops, String perChoice, ElementType type) {
      String goes = ops.reduceMax(ops.cast(kept, ElementType.INT64), false, -1L);
      String counts = ops.cast(ops.cast(goes, ElementType.BOOL), type);
      return ops.mul(perChoice, ops.reshape(counts, -1, 1));
    }
  }

  /**
   * The ids are not in the graph: the best by these scores are chosen, in some way or other.
   *
   * @param scores {@code [tokens, experts]}
   * @param tieRule which of equal scores is chosen
   */
  record Hidden(String scores, TieRule tieRule) implements Choice {
    /**
     * How near two scores may be that a softmax in float32 does not tell apart, in parts of 1 and
     * of what both are below the best.
     */
    private static final float NEAR = 1e-6f;

    @Override
    public String value() {
      return scores;
    }

    @Override
    public String indices(Ops ops, int topK, int experts) {
      return best(ops, topK, experts).ids();
    }

    @Override
    public boolean isShown() {
      return false;
    }

    @Override
    public long[] ids(Map<String, Tensor> run, int topK, int experts) {
      return tieRule.ids(run.get(scores).toFloats(), topK, experts);
    }

    @Override
    public String whereDecided(Ops ops, String perToken, int topK, int experts) {
      if (topK == experts) {
        return perToken;
      }
      String best = best(ops, topK + 1, experts).values();
      String last = ops.gather(best, ops.vector(topK - 1), 1); // [tokens, 1]
      String below = ops.sub(ops.gather(best, ops.vector(0), 1), last);
      String width = ops.mul(ops.add(below, ops.scalar(1f)), ops.scalar(NEAR));
      String isDecided = ops.greater(ops.sub(last, ops.gather(best, ops.vector(topK), 1)), width);
      String decided = ops.mul(perToken, ops.cast(isDecided, ElementType.FLOAT));
      String isAny = ops.greater(ops.reduceMax(decided, true), ops.scalar(0f));
      return ops.where(isAny, decided, perToken);
    }

    @Override
    public Tensor made(MadeChoices choices, Tensor like) {
      return choices.scores(like);
    }

    @Override
    public long elements(int tokens, int topK, int experts) {
      return (long) tokens * experts;
    }

    @Override
    public Choice by(String otherScores) {
      return new Hidden(otherScores, tieRule);
    }

    /** The chosen ids with their scores, in float32. */
    public Ops.Best best(Ops ops, int topK, int experts) {
      return tieRule.best(ops, ops.cast(scores, ElementType.FLOAT), topK, experts);
    }
  }
}
