package io.moneonnx.moe;

import io.moneonnx.graph.Ops;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Which of two experts with equal scores comes first. ONNX's {@code TopK} has it written down; what
 * an operator that chooses within does is a matter of the kernel that runs it, {@link
 * Target#tieRule}.
 */
public enum TieRule {
  /** As {@code TopK}. */
  LOWER_ID,
  HIGHER_ID;

  /**
   * The best by score.
   *
   * @param scores {@code [tokens, experts]}
   * @return values and ids {@code [tokens, topK]}, in the order of their scores
   */
  Ops.Best best(Ops ops, String scores, int topK, int experts) {
    if (this == LOWER_ID) {
      return ops.topK(scores, topK);
    }
    long[] reversed = LongStream.range(0, experts).map(id -> experts - 1 - id).toArray();
    Ops.Best best = ops.topK(ops.gather(scores, ops.vector(reversed), 1), topK);
    return new Ops.Best(best.values(), ops.sub(ops.vector(experts - 1), best.ids()));
  }

  /** The same ids by the scores of a run, for one token after the other. */
  long[] ids(float[] scores, int topK, int experts) {
    List<Integer> all = IntStream.range(0, experts).boxed().toList();
    Comparator<Integer> byId = Comparator.naturalOrder();
    Comparator<Integer> tied = this == LOWER_ID ? byId : byId.reversed();
    return IntStream.range(0, scores.length / experts)
        .map(token -> token * experts)
        .boxed()
        .flatMap(
            start ->
                all.stream()
                    .sorted(
                        Comparator.<Integer>comparingDouble(expert -> -scores[start + expert])
                            .thenComparing(tied))
                    .limit(topK))
        .mapToLong(Integer::longValue)
        .toArray();
  }
}
