package io.moneonnx.moe;

import io.moneonnx.graph.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Synthetic choices, so that experts that no data reach can be run too: experts are chosen in turn.
 *
 * @param inTurn the experts that can be chosen, in the order in which slots choose them
 * @param topK experts chosen for each token
 * @param experts how many there are
 * @param weights by slot what its expert's output is weighted by, or scored with
 */
public record MadeChoices(List<Integer> inTurn, int topK, int experts, Weights weights) {
  public MadeChoices {
    inTurn = List.copyOf(inTurn);
  }

  /** The weight of each slot. */
  public interface Weights {
    float of(int slot);
  }

  private int expert(int slot) {
    return inTurn.get(slot % inTurn.size());
  }

  /** Ids in the place of {@code like}, int64 {@code [..., topK]}. */
  Tensor ids(Tensor like) {
    long[] ids = new long[Math.toIntExact(like.elements())];
    Arrays.setAll(ids, this::expert);
    return Tensor.of(like.dims(), ids);
  }

  /** Weights in the place of {@code like [..., topK]}. */
  Tensor perChoice(Tensor like) {
    float[] values = new float[Math.toIntExact(like.elements())];
    for (int slot = 0; slot < values.length; slot++) {
      values[slot] = weights.of(slot);
    }
    return Tensor.of(like.type(), like.dims(), values);
  }

  /** Weights in the place of {@code like [..., experts]}, 0 where an expert is not chosen. */
  Tensor perExpert(Tensor like) {
    return perExpert(like, new float[Math.toIntExact(like.elements())]);
  }

  /** Scores in the place of {@code like [..., experts]}, lowest where one is never chosen. */
  Tensor scores(Tensor like) {
    float[] values = new float[Math.toIntExact(like.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = inTurn.contains(i % experts) ? 0 : Float.NEGATIVE_INFINITY;
    }
    return perExpert(like, values);
  }

  private Tensor perExpert(Tensor like, float[] values) {
    int slots = values.length / experts * topK;
    for (int slot = 0; slot < slots; slot++) {
      values[slot / topK * experts + expert(slot)] = weights.of(slot);
    }
    return Tensor.of(like.type(), like.dims(), values);
  }
}
