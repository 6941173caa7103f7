package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/** What one block chose in both runs, flattened, and the scores it chose by. */
final class Choices {
  private final MoeBlock block;
  private final long[] expected;
  private final long[] found;
  private final float[] scores;

  Choices(MoeBlock block, Map<String, Tensor> expected, Map<String, Tensor> found) {
    this.block = block;
    this.expected = block.routing().ids(expected);
    this.found = block.routing().ids(found);
    this.scores = expected.get(block.routing().choice().scores()).toFloats();
  }

  String name() {
    return block.name();
  }

  /** The ids that the first run chose for a token, in the order of their routing weights. */
  long[] expected(int token) {
    return Arrays.copyOfRange(expected, token * block.topK(), (token + 1) * block.topK());
  }

  /** The ids that the second run chose for a token, in the order of their routing weights. */
  long[] found(int token) {
    return Arrays.copyOfRange(found, token * block.topK(), (token + 1) * block.topK());
  }

  int tokens() {
    return expected.length / block.topK();
  }

  /** How far apart the scores are of experts that only one run chose; empty if there are none. */
  OptionalDouble gapAt(int token) {
    Set<Long> right = chosen(expected, token);
    Set<Long> other = chosen(found, token);
    if (right.equals(other)) {
      return OptionalDouble.empty();
    }
    double lowest =
        right.stream()
            .filter(e -> !other.contains(e))
            .mapToDouble(e -> score(token, e))
            .min()
            .orElse(Double.POSITIVE_INFINITY);
    double highest =
        other.stream()
            .filter(e -> !right.contains(e))
            .mapToDouble(e -> score(token, e))
            .max()
            .orElse(Double.NEGATIVE_INFINITY);
    // Minus infinity on both sides is a tie as well.
    return OptionalDouble.of(lowest == highest ? 0 : Math.abs(lowest - highest));
  }

  /**
   * How far a score is at most from what it is in another run; 0 if that does not show it.
   *
   * @param length tokens in a sequence
   * @param same how many tokens of each sequence count
   */
  double shift(Map<String, Tensor> run, int length, List<Integer> same) {
    Tensor other = run.get(block.routing().choice().scores());
    float[] moved = other == null ? scores : other.toFloats();
    double shift = 0;
    for (int sequence = 0; sequence < same.size(); sequence++) {
      int from = sequence * length * block.experts();
      for (int i = from; i < from + same.get(sequence) * block.experts(); i++) {
        double off = Math.abs((double) moved[i] - scores[i]);
        shift = Double.isFinite(off) ? Math.max(shift, off) : shift;
      }
    }
    return shift;
  }

  private Set<Long> chosen(long[] indices, int token) {
    return Arrays.stream(indices, token * block.topK(), (token + 1) * block.topK())
        .boxed()
        .collect(Collectors.toSet());
  }

  private double score(int token, long expert) {
    return scores[token * block.experts() + (int) expert];
  }
}
