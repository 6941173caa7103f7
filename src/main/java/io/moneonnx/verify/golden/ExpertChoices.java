package io.moneonnx.verify.golden;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.Routing;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/** Which experts a router chose in one run, token by token, and the scores it chose by. */
final class ExpertChoices {
  private final int experts;
  private final int topK;
  private final float[] scores;
  private final long[] ids;

  /**
   * @param values what the run put out, the router's scores and choices among it
   */
  ExpertChoices(Routing routing, Map<String, Tensor> values) {
    this.experts = routing.experts();
    this.topK = routing.topK();
    this.scores = values.get(routing.choice().scores()).toFloats();
    this.ids = routing.ids(values);
  }

  private float score(int token, int expert) {
    return scores[token * experts + expert];
  }

  /** True if there is one choice, and one row of scores, for each of so many tokens. */
  boolean isOf(int tokens) {
    return ids.length == tokens * topK && scores.length == tokens * experts;
  }

  /** The chosen ids, ascending. */
  long[] chosen(int token) {
    long[] chosen = Arrays.copyOfRange(ids, token * topK, (token + 1) * topK);
    Arrays.sort(chosen);
    return chosen;
  }

  /** CRC-32 of the chosen ids, ascending, as big-endian int32. */
  int hash(int token) {
    ByteBuffer bytes = ByteBuffer.allocate(topK * Integer.BYTES);
    Arrays.stream(chosen(token)).forEach(id -> bytes.putInt((int) id));
    CRC32 sum = new CRC32();
    sum.update(bytes.flip());
    return (int) sum.getValue();
  }

  /** How far the lowest score that was chosen is from the highest that was not. */
  double gap(int token) {
    BitSet chosen = new BitSet(experts);
    Arrays.stream(chosen(token)).forEach(id -> chosen.set((int) id));
    double lowest = chosen.stream().mapToDouble(expert -> score(token, expert)).min().orElseThrow();
    double highest =
        IntStream.range(0, experts)
            .filter(expert -> !chosen.get(expert))
            .mapToDouble(expert -> score(token, expert))
            .max()
            .orElse(Double.NEGATIVE_INFINITY);
    return Math.abs(lowest - highest);
  }
}
