package io.moneonnx.verify;

import java.util.OptionalInt;

/**
 * What two models say at one position about the token that comes next.
 *
 * @param divergence KL divergence of the second's distribution from the first's in nats: {@code sum
 *     p (log p - log q)}; infinite where one of them is no distribution
 * @param agrees whether both put the same token first
 * @param isForeseen whether the next token is known; the losses are 0 where it is not
 * @param loss nats of the next token in the first model
 * @param otherLoss nats of the next token in the second model
 */
record Position(
    double divergence, boolean agrees, boolean isForeseen, double loss, double otherLoss) {
  /**
   * Compares two rows of logits {@code [vocabulary]}.
   *
   * @param next the token that comes next, where it is known
   */
  static Position of(double[] before, double[] after, OptionalInt next) {
    int best = best(before);
    int otherBest = best(after);
    double sum = 0;
    double otherSum = 0;
    double weighted = 0;
    for (int i = 0; i < before.length; i++) {
      double p = before[i] - before[best];
      double q = after[i] - after[otherBest];
      double share = Math.exp(p);
      sum += share;
      otherSum += Math.exp(q);
      weighted += share == 0 ? 0 : share * (p - q);
    }
    double divergence = weighted / sum - Math.log(sum) + Math.log(otherSum);
    boolean areDistributions = !Double.isNaN(divergence);
    return new Position(
        areDistributions ? Math.max(0, divergence) : Double.POSITIVE_INFINITY,
        areDistributions && best == otherBest,
        next.isPresent(),
        next.isPresent() ? loss(before, best, sum, next.getAsInt()) : 0,
        next.isPresent() ? loss(after, otherBest, otherSum, next.getAsInt()) : 0);
  }

  /** {@code log sum exp logits - logits[token]}. */
  private static double loss(double[] logits, int best, double sum, int token) {
    double loss = Math.log(sum) + logits[best] - logits[token];
    return Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
  }

  private static int best(double[] row) {
    int best = 0;
    double most = row[0];
    for (int i = 1; i < row.length; i++) {
      if (row[i] > most) {
        most = row[i];
        best = i;
      }
    }
    return best;
  }
}
