package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;

/**
 * The order in which an expert's neurons are removed, and the error at each width. The kept sets
 * are nested: each width keeps what a smaller one keeps.
 */
public final class RemovalOrder {
  private final int[] removed;
  private final double[] distortions;

  private RemovalOrder(int[] removed, double[] distortions) {
    this.removed = removed;
    this.distortions = distortions;
  }

  /**
   * An order that was computed before.
   *
   * @param removed all neurons, the first to be removed first
   * @param distortions by the number of neurons kept, {@code [I + 1]}
   * @throws BadInputException if these are not all neurons, or distortions that rise with the width
   *     or do not end in 0
   */
  public static RemovalOrder of(int[] removed, double[] distortions) {
    int inner = removed.length;
    if (!Arrays.equals(sorted(removed), IntStream.range(0, inner).toArray())) {
      throw new BadInputException(
          "removal order: expected each neuron from 0 to %d once".formatted(inner - 1));
    }
    boolean falls =
        distortions.length == inner + 1
            && distortions[inner] == 0
            && IntStream.range(0, inner).allMatch(k -> distortions[k] >= distortions[k + 1])
            && Double.isFinite(distortions[0]);
    if (!falls) {
      throw new BadInputException(
          "removal order: expected %d finite distortions, none above the one before, the last 0"
              .formatted(inner + 1));
    }
    return new RemovalOrder(removed.clone(), distortions.clone());
  }

  /**
   * The greedy order of an expert: always the neuron whose removal costs least, ties by the lower
   * number. Where all moments are 0, so are all distortions, and neurons are removed by number.
   * Runs on one thread and needs memory for about {@code 6 I^2 + 2 H I} numbers.
   *
   * @param down its down projection {@code D}, {@code [H, I]}
   * @throws BadInputException if the moments are not positive semidefinite
   */
  public static RemovalOrder of(Moments moments, DownMatrix down) {
    int inner = moments.inner();
    if (down.inner() != inner) {
      throw new IllegalArgumentException(
          "moments of %d neurons, down projection of %d".formatted(inner, down.inner()));
    }
    int[] removed = IntStream.range(0, inner).toArray();
    double[] distortions = new double[inner + 1];
    if (!moments.areZero()) {
      DMatrixRMaj inverse = new DMatrixRMaj(inner, inner);
      moments.solver(removed).invert(inverse);
      DMatrixRMaj gram = down.gram();
      Surgeon surgeon = new Surgeon(inverse, gram);
      double ridge = moments.ridge();
      double objective = 0;
      for (int width = inner - 1; width >= 0; width--) {
        Surgeon.Removal removal = surgeon.next();
        int j = removal.neuron();
        removed[inner - 1 - width] = j;
        objective += removal.cost() - ridge * gram.get(j, j);
        distortions[width] = Math.max(distortions[width + 1], objective);
      }
    }
    return new RemovalOrder(removed, distortions);
  }

  /**
   * The greedy order of groups of neurons, where the down projection keeps its columns as they are:
   * always the group whose removal adds least. The error of an expert without the neurons {@code R}
   * is {@code sum g^2 ||f - f'||^2 = tr(D_R M_RR D_R^T)}: the sum over {@code R} of {@code P = (D^T
   * D) * M}, element by element. Widths that are no whole groups have the error of the next smaller
   * one.
   *
   * @param group how many neighbouring neurons go together, a divisor of all
   */
  public static RemovalOrder ofGroups(Moments moments, DownMatrix down, int group) {
    int inner = moments.inner();
    int groups = inner / group;
    double[][] together = together(moments, down, group);
    double[] costs = new double[groups]; // of a group beside those that are gone
    for (int i = 0; i < groups; i++) {
      costs[i] = together[i][i];
    }
    boolean[] isGone = new boolean[groups];
    int[] removed = new int[inner];
    double[] distortions = new double[inner + 1];
    double error = 0;
    for (int gone = 0; gone < groups; gone++) {
      int least = -1;
      for (int i = 0; i < groups; i++) {
        if (!isGone[i] && (least < 0 || costs[i] < costs[least])) {
          least = i;
        }
      }
      isGone[least] = true;
      error += costs[least];
      if (!Double.isFinite(error)) {
        throw new BadInputException(
            "moments times down projection overflow double precision at neuron %d"
                .formatted(least * group));
      }
      for (int i = 0; i < groups; i++) {
        costs[i] += 2 * together[least][i];
      }
      int width = inner - (gone + 1) * group;
      double distortion = Math.max(distortions[width + group], error);
      for (int i = 0; i < group; i++) {
        removed[gone * group + i] = least * group + i;
        distortions[width + i] = distortion;
      }
    }
    return new RemovalOrder(removed, distortions);
  }

  /** {@code P}, summed over the neurons of two groups each. */
  private static double[][] together(Moments moments, DownMatrix down, int group) {
    int inner = moments.inner();
    if (down.inner() != inner || inner % group != 0) {
      throw new IllegalArgumentException(
          "moments of %d neurons, down projection of %d, groups of %d"
              .formatted(inner, down.inner(), group));
    }
    DMatrixRMaj gram = down.gram();
    double[][] sums = new double[inner / group][inner / group];
    for (int i = 0; i < inner; i++) {
      for (int j = 0; j < inner; j++) {
        sums[i / group][j / group] += gram.get(i, j) * moments.at(i, j);
      }
    }
    return sums;
  }

  /** Neurons, {@code I}. */
  public int inner() {
    return removed.length;
  }

  /** All neurons, the first to be removed first. */
  public int[] removed() {
    return removed.clone();
  }

  /** The neurons that an expert of this width keeps, ascending. */
  public int[] kept(int width) {
    return sorted(Arrays.copyOfRange(removed, inner() - width, inner()));
  }

  /**
   * The error of an expert of this width: {@code sum g^2 ||f - f'||^2 + rho ||D_S - D'||^2}, over
   * its tokens, {@code D'} being re-fitted to the kept neurons {@code S}. It is 0 at full width and
   * {@code sum g^2 ||f||^2} at width 0. With {@code rho ||D_R||^2} of the others added it is what
   * the order minimises. It never falls as neurons are removed: where it would, it keeps its value.
   */
  public double distortion(int width) {
    return distortions[width];
  }

  /** {@link #distortion} of all widths from 0, {@code [I + 1]}. */
  public double[] distortions() {
    return distortions.clone();
  }

  private static int[] sorted(int[] neurons) {
    int[] sorted = neurons.clone();
    Arrays.sort(sorted);
    return sorted;
  }
}
