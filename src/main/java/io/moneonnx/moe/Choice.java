package io.moneonnx.moe;

import io.moneonnx.graph.ElementType;
import io.moneonnx.graph.Ops;

/** Where a routing decision stands in the graph. */
public sealed interface Choice {
  /** The value from which the decision is read: what forms look for, and a block's border. */
  String value();

  /** Value {@code [..., experts]}: what the experts are chosen by. */
  String scores();

  /** The chosen ids, int64 {@code [tokens, topK]}. */
  String indices(Ops ops, int topK);

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
    public String indices(Ops ops, int topK) {
      return ops.reshape(value, -1, topK);
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
    public String indices(Ops ops, int topK) {
      return ops.reshape(value, -1, topK);
    }

    @Override
    public String whereKept(Ops ops, String perChoice, ElementType type) {
      String goes = ops.reduceMax(ops.cast(kept, ElementType.INT64), false, -1L);
      String counts = ops.cast(ops.cast(goes, ElementType.BOOL), type);
      return ops.mul(perChoice, ops.reshape(counts, -1, 1));
    }
  }

  /**
   * The ids are not in the graph: the best by these scores are chosen, in some way or other. Which
   * of two equal scores that is may differ, so what is rebuilt from this choice is exact up to
   * ties.
   *
   * @param scores {@code [tokens, experts]}
   */
  record Hidden(String scores) implements Choice {
    @Override
    public String value() {
      return scores;
    }

    @Override
    public String indices(Ops ops, int topK) {
      return best(ops, topK).ids();
    }

    /** The chosen ids with their scores, in float32. */
    public Ops.Best best(Ops ops, int topK) {
      return ops.topK(ops.cast(scores, ElementType.FLOAT), topK);
    }
  }
}
