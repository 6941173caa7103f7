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
   * An operator that takes scores chooses the best of them within. Which of two equal scores it
   * takes is its own affair, so what is rebuilt from this choice is exact up to ties.
   */
  record Hidden(String scores) implements Choice {
    @Override
    public String value() {
      return scores;
    }

    @Override
    public String indices(Ops ops, int topK) {
      return ops.topK(ops.cast(scores, ElementType.FLOAT), topK);
    }
  }
}
