package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How far a pruned model's outputs have moved from the original's.
 *
 * @param relativeErrors by floating output: {@code max|a - b| / max|b|}, the largest of all runs
 * @param divergence mean KL divergence of the next-token distributions in nats, over {@code
 *     positions}; of the logits
 * @param agreement share of positions at which both put the same token first
 * @param positions positions compared, 0 if the model has no logits
 */
public record Drift(
    Map<String, Double> relativeErrors, double divergence, double agreement, long positions) {

  /** Gathers drift run by run. */
  public static final class Meter {
    private final Optional<String> logits;
    private final Map<String, Double> worst = new LinkedHashMap<>();
    private double divergence;
    private long agreed;
    private long positions;

    /**
     * A meter for models with these outputs.
     *
     * @param logits the output {@code [batch, sequence, vocabulary]} that scores next tokens, if
     *     the model is a language model
     */
    public Meter(Optional<String> logits) {
      this.logits = logits;
    }

    /** Takes the floating outputs of one run of both models. */
    public void add(Map<String, Tensor> before, Map<String, Tensor> after) {
      before.forEach(
          (name, output) ->
              worst.merge(name, Difference.relative(after.get(name), output), Math::max));
      logits.ifPresent(name -> addLogits(before.get(name), after.get(name)));
    }

    private void addLogits(Tensor before, Tensor after) {
      int vocabulary = before.dims().get(2).intValue();
      float[] p = before.toFloats();
      float[] q = after.toFloats();
      for (int at = 0; at < p.length; at += vocabulary) {
        divergence += divergence(p, q, at, vocabulary);
        agreed += best(p, at, vocabulary) == best(q, at, vocabulary) ? 1 : 0;
        positions++;
      }
    }

    /** {@code sum p (log p - log q)} of the softmaxes of two rows. */
    private static double divergence(float[] p, float[] q, int at, int vocabulary) {
      double logP = logSum(p, at, vocabulary);
      double logQ = logSum(q, at, vocabulary);
      double sum = 0;
      for (int i = at; i < at + vocabulary; i++) {
        sum += Math.exp(p[i] - logP) * ((p[i] - logP) - (q[i] - logQ));
      }
      return sum;
    }

    private static double logSum(float[] row, int at, int length) {
      double largest = row[best(row, at, length)];
      double sum = 0;
      for (int i = at; i < at + length; i++) {
        sum += Math.exp(row[i] - largest);
      }
      return largest + Math.log(sum);
    }

    private static int best(float[] row, int at, int length) {
      int best = at;
      for (int i = at + 1; i < at + length; i++) {
        best = row[i] > row[best] ? i : best;
      }
      return best;
    }

    public Drift drift() {
      return new Drift(
          Map.copyOf(worst),
          positions == 0 ? 0 : divergence / positions,
          positions == 0 ? 1 : (double) agreed / positions,
          positions);
    }
  }
}
