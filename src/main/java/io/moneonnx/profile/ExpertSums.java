package io.moneonnx.profile;

import java.util.List;

/**
 * What is counted and summed of a block's experts, one number an expert: what criteria read, and
 * all that is kept of parts of the data. Names are those of {@link BlockStatistics}.
 *
 * @param t tokens that reached the block
 * @param m2 {@code sum ||f - mean||^2}, {@code [E]}
 * @param r2 {@code sum g^2 ||f - gmean||^2}, {@code [E]}
 */
public record ExpertSums(
    long t,
    Longs n,
    Doubles g1,
    Doubles g2,
    Doubles a1,
    Doubles a2,
    Doubles b1,
    Doubles b2,
    Doubles m2,
    Doubles r2,
    Doubles peak,
    double y2) {

  public ExpertSums {
    for (Doubles sums : List.of(g1, g2, a1, a2, b1, b2, m2, r2, peak)) {
      if (sums.size() != n.size()) {
        throw new IllegalArgumentException(
            "sums of %d experts beside counts of %d".formatted(sums.size(), n.size()));
      }
    }
  }

  /** Of no tokens at all. */
  public static ExpertSums nothing(int experts) {
    Doubles zeros = Doubles.of(new double[experts]);
    return new ExpertSums(
        0,
        Longs.of(new long[experts]),
        zeros,
        zeros,
        zeros,
        zeros,
        zeros,
        zeros,
        zeros,
        zeros,
        zeros,
        0);
  }

  public int experts() {
    return n.size();
  }

  /**
   * Both added up. Squares around means are pooled: they stay around the mean of each part, so that
   * what the means of the parts differ by is not in them.
   */
  public ExpertSums pooled(ExpertSums other) {
    return new ExpertSums(
        t + other.t,
        n.plus(other.n),
        g1.plus(other.g1),
        g2.plus(other.g2),
        a1.plus(other.a1),
        a2.plus(other.a2),
        b1.plus(other.b1),
        b2.plus(other.b2),
        m2.plus(other.m2),
        r2.plus(other.r2),
        peak.larger(other.peak),
        y2 + other.y2);
  }
}
