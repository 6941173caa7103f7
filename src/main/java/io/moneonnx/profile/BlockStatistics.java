package io.moneonnx.profile;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * Everything that calibration measures of one block. Sums run over the tokens that chose the
 * expert; {@code f} is the expert's output, {@code g} the coefficient it is multiplied by, {@code
 * y} the block's routed output. Matrices are row-major, one row an expert. Rows that nothing was
 * counted for are set to 0, whatever they came with; {@link #hasMean} and {@link #hasGatedMean}
 * tell.
 *
 * @param n tokens that chose the expert, {@code [E]}
 * @param g1 {@code sum g}, {@code [E]}
 * @param g2 {@code sum g^2}, {@code [E]}
 * @param a1 {@code sum ||f||}, {@code [E]}
 * @param a2 {@code sum ||f||^2}, {@code [E]}
 * @param b1 {@code sum g ||f||}, {@code [E]}
 * @param b2 {@code sum g^2 ||f||^2}, {@code [E]}
 * @param mean {@code sum f / n}, {@code [E,H]}
 * @param m2 {@code sum (f - mean)^2} per coordinate, {@code [E,H]}
 * @param gmean {@code sum g^2 f / G2}, {@code [E,H]}
 * @param r2 {@code sum g^2 ||f - gmean||^2}, {@code [E]}
 * @param peak {@code max |f|} over tokens and coordinates, {@code [E]}
 * @param t tokens that reached the block
 * @param c tokens that chose both experts, {@code [E,E]}; the diagonal is {@code n}
 * @param y2 {@code sum ||y||^2}
 * @param slices the same of parts of these tokens, one number an expert
 */
public record BlockStatistics(
    BlockHeader header,
    Longs n,
    Doubles g1,
    Doubles g2,
    Doubles a1,
    Doubles a2,
    Doubles b1,
    Doubles b2,
    Doubles mean,
    Doubles m2,
    Doubles gmean,
    Doubles r2,
    Doubles peak,
    long t,
    Longs c,
    double y2,
    Slices slices) {

  public BlockStatistics {
    int experts = header.experts();
    int cells = Math.multiplyExact(experts, header.hidden());
    requireLength(header, "n", n.size(), experts);
    requireLength(header, "G1", g1.size(), experts);
    requireLength(header, "G2", g2.size(), experts);
    requireLength(header, "A1", a1.size(), experts);
    requireLength(header, "A2", a2.size(), experts);
    requireLength(header, "B1", b1.size(), experts);
    requireLength(header, "B2", b2.size(), experts);
    requireLength(header, "mean", mean.size(), cells);
    requireLength(header, "M2", m2.size(), cells);
    requireLength(header, "gmean", gmean.size(), cells);
    requireLength(header, "R2", r2.size(), experts);
    requireLength(header, "peak", peak.size(), experts);
    requireLength(header, "C", c.size(), experts * experts);
    slices.requireExperts(header);
    Longs count = n;
    Doubles weight = g2;
    mean = mean.withRowsCleared(header.hidden(), expert -> count.get(expert) == 0);
    m2 = m2.withRowsCleared(header.hidden(), expert -> count.get(expert) == 0);
    peak = peak.withRowsCleared(1, expert -> count.get(expert) == 0);
    gmean = gmean.withRowsCleared(header.hidden(), expert -> weight.get(expert) == 0);
    r2 = r2.withRowsCleared(1, expert -> weight.get(expert) == 0);
  }

  private static void requireLength(BlockHeader header, String array, int found, int wanted) {
    if (found != wanted) {
      throw new IllegalArgumentException(
          "block '%s': %s has %d elements, not %d".formatted(header.name(), array, found, wanted));
    }
  }

  /** Nothing counted yet: what every merge can start from. */
  public static BlockStatistics empty(BlockHeader header) {
    Doubles vector = Doubles.of(new double[header.experts()]);
    Doubles matrix = Doubles.of(new double[Math.multiplyExact(header.experts(), header.hidden())]);
    return new BlockStatistics(
        header,
        Longs.of(new long[header.experts()]),
        vector,
        vector,
        vector,
        vector,
        vector,
        vector,
        matrix,
        matrix,
        matrix,
        vector,
        vector,
        0,
        Longs.of(new long[header.experts() * header.experts()]),
        0,
        Slices.NONE);
  }

  public String name() {
    return header.name();
  }

  public int experts() {
    return header.experts();
  }

  public int hidden() {
    return header.hidden();
  }

  /** False where an expert was never chosen: {@code mean}, {@code M2} and {@code peak} are void. */
  public boolean hasMean(int expert) {
    return n.get(expert) > 0;
  }

  /** False where no coefficient was ever other than 0: {@code gmean} and {@code R2} are void. */
  public boolean hasGatedMean(int expert) {
    return g2.get(expert) > 0;
  }

  /**
   * {@code V}, the summed variance of the expert's output; not defined for fewer than two tokens.
   */
  public OptionalDouble variance(int expert) {
    if (n.get(expert) < 2) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(squares(expert) / (n.get(expert) - 1));
  }

  private double squares(int expert) {
    double squares = 0;
    for (int i = expert * hidden(); i < (expert + 1) * hidden(); i++) {
      squares += m2.get(i);
    }
    return squares;
  }

  /** The same, one number an expert. */
  public ExpertSums sums() {
    double[] squares = IntStream.range(0, experts()).mapToDouble(this::squares).toArray();
    return new ExpertSums(t, n, g1, g2, a1, a2, b1, b2, Doubles.of(squares), r2, peak, y2);
  }

  /**
   * The same as those of a single batch.
   *
   * @param batch its number, from 0
   * @param source the tag of what it was read from, if that has one
   */
  public BlockStatistics ofBatch(long batch, Optional<String> source) {
    return withSlices(Slices.of(sums(), batch, source));
  }

  private BlockStatistics withSlices(Slices parts) {
    return new BlockStatistics(
        header, n, g1, g2, a1, a2, b1, b2, mean, m2, gmean, r2, peak, t, c, y2, parts);
  }

  /** Experts that no token chose. */
  public List<Integer> neverChosen() {
    return IntStream.range(0, experts()).filter(expert -> n.get(expert) == 0).boxed().toList();
  }

  /**
   * The statistics of both sets of tokens together: counts and sums add, peaks take the larger, and
   * means with their squared deviations merge by Chan's pairwise update, {@code gmean} and {@code
   * R2} with {@code G2} for the weight.
   */
  public BlockStatistics merge(BlockStatistics other) {
    if (!header.equals(other.header)) {
      throw new IllegalArgumentException(header + " does not merge with " + other.header);
    }
    double[] mergedMean = new double[mean.size()];
    double[] mergedM2 = new double[m2.size()];
    double[] mergedGmean = new double[gmean.size()];
    double[] mergedR2 = new double[r2.size()];
    for (int expert = 0; expert < experts(); expert++) {
      double share = share((double) n.get(expert), (double) other.n.get(expert));
      double gatedShare = share(g2.get(expert), other.g2.get(expert));
      double gatedSquares = 0;
      for (int i = expert * hidden(); i < (expert + 1) * hidden(); i++) {
        double d = other.mean.get(i) - mean.get(i);
        mergedMean[i] = mean.get(i) + d * share;
        mergedM2[i] = m2.get(i) + other.m2.get(i) + d * d * share * n.get(expert);
        double gatedD = other.gmean.get(i) - gmean.get(i);
        mergedGmean[i] = gmean.get(i) + gatedD * gatedShare;
        gatedSquares += gatedD * gatedD;
      }
      mergedR2[expert] =
          r2.get(expert) + other.r2.get(expert) + gatedSquares * gatedShare * g2.get(expert);
    }
    return new BlockStatistics(
        header,
        n.plus(other.n),
        g1.plus(other.g1),
        g2.plus(other.g2),
        a1.plus(other.a1),
        a2.plus(other.a2),
        b1.plus(other.b1),
        b2.plus(other.b2),
        Doubles.of(mergedMean),
        Doubles.of(mergedM2),
        Doubles.of(mergedGmean),
        Doubles.of(mergedR2),
        peak.larger(other.peak),
        t + other.t,
        c.plus(other.c),
        y2 + other.y2,
        slices.merge(other.slices));
  }

  /**
   * The second weight's part of both. A side without weight has means of 0 and a share of exactly 0
   * or 1, so that it leaves the other side's numbers as they are.
   */
  private static double share(double first, double second) {
    return second == 0 ? 0 : second / (first + second);
  }
}
