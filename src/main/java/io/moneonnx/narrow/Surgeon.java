package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;

/**
 * Removes neurons one by one, cheapest first, and re-fits the others after each: the optimal brain
 * surgeon of Hassibi and Stork (NIPS 1992) on an expert's own least squares.
 *
 * <p>With {@code K} the inverse of the living part of {@code M + rho I}, and {@code R} the down
 * matrix re-fitted to the living, removing {@code j} costs {@code ||R[:,j]||^2 / K[j,j]}, and
 *
 * <pre>
 * p = K[:,j] / K[j,j]     K -= K[j,j] p p^T     R -= R[:,j] p^T
 * </pre>
 *
 * <p>Costs ask for no more of {@code R} than {@code Q = R^T R}, {@code [I, I]} instead of {@code
 * [H, I]}:
 *
 * <pre>
 * u = Q[:,j] - (Q[j,j] / 2) p     Q -= u p^T + p u^T
 * </pre>
 *
 * <p>The choice of {@code j} depends on diagonals, its removal on one row more; the rest of both
 * matrices waits for {@link #BLOCK} removals, and is then brought up to date for the living only.
 */
final class Surgeon {
  /** Removals between two updates of the matrices. */
  private static final int BLOCK = 32;

  /** The neurons that rows of the matrices are about, ascending. */
  private int[] neurons;

  private final LazySymmetric inverse;
  private final LazySymmetric gram;
  private boolean[] alive;
  private int pending;

  /**
   * On all neurons of an expert.
   *
   * @param inverse {@code (M + rho I)^-1}, {@code [I, I]}
   * @param gram {@code D^T D}, {@code [I, I]}
   */
  Surgeon(DMatrixRMaj inverse, DMatrixRMaj gram) {
    this.inverse = new LazySymmetric(inverse);
    this.gram = new LazySymmetric(gram);
    neurons = IntStream.range(0, gram.numRows).toArray();
    reset();
  }

  private void reset() {
    alive = new boolean[neurons.length];
    Arrays.fill(alive, true);
    pending = 0;
  }

  /** A neuron, and by how much the error grows without it. */
  record Removal(int neuron, double cost) {}

  /** Removes the neuron that costs least; ties by the lower number. */
  Removal next() {
    if (pending == BLOCK) {
      update();
    }
    int j = cheapest();
    Removal removal = new Removal(neurons[j], cost(j));
    if (!Double.isFinite(removal.cost())) {
      throw new BadInputException(
          "moments times down projection overflow double precision at neuron %d"
              .formatted(removal.neuron()));
    }
    remove(j);
    return removal;
  }

  private void update() {
    int[] living = IntStream.range(0, neurons.length).filter(i -> alive[i]).toArray();
    inverse.keep(living);
    gram.keep(living);
    neurons = IntStream.of(living).map(i -> neurons[i]).toArray();
    reset();
  }

  private int cheapest() {
    int best = -1;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < neurons.length; i++) {
      if (alive[i] && (best < 0 || cost(i) < least)) {
        best = i;
        least = cost(i);
      }
    }
    return best;
  }

  private double cost(int i) {
    return energy(i) / inverse.diagonal(i);
  }

  /** {@code ||R[:,i]||^2}; rounding takes what should be 0 below it. */
  private double energy(int i) {
    return Math.max(0, gram.diagonal(i));
  }

  private void remove(int j) {
    double pivot = inverse.diagonal(j);
    double half = energy(j) / 2;
    double[] k = inverse.row(j);
    double[] u = gram.row(j);
    double[] p = new double[k.length];
    for (int i = 0; i < p.length; i++) {
      p[i] = k[i] / pivot;
      u[i] -= half * p[i];
    }
    inverse.subtract(k, p);
    gram.subtract(u, p);
    gram.subtract(p, u);
    alive[j] = false;
    pending++;
  }
}
