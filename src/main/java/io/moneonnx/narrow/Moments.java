package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.block.linsol.chol.CholeskyOuterSolver_DDRB;
import org.ejml.dense.row.linsol.LinearSolver_DDRB_to_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * Second moments of what enters an expert's down projection: {@code M = sum g^2 a a^T}, {@code [I,
 * I]}, over the tokens that chose the expert; {@code a} is the inner activation, {@code g} the
 * routing weight. All zeros where no token did.
 *
 * <p>Symmetric, thus packed: the lower triangle row by row, {@code [0,0], [1,0], [1,1], [2,0], ..}.
 */
public final class Moments {
  /** What is added to the diagonal before inversion, as a share of its mean. */
  private static final double RIDGE = 0.01;

  private final int inner;
  private final double[] packed;

  private Moments(int inner, double[] packed) {
    this.inner = inner;
    this.packed = packed;
  }

  /**
   * Of an expert with {@code inner} neurons.
   *
   * @throws BadInputException if an element is not finite or on the diagonal below 0; says which
   */
  public static Moments of(int inner, double[] packed) {
    if (packed.length != size(inner)) {
      throw new IllegalArgumentException(
          "%d neurons have %d moments, found %d".formatted(inner, size(inner), packed.length));
    }
    Moments moments = new Moments(inner, packed.clone());
    moments.check();
    return moments;
  }

  /** The same in single precision. */
  public static Moments of(int inner, float[] packed) {
    double[] wide = new double[packed.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = packed[i];
    }
    return of(inner, wide);
  }

  /** Numbers that moments of so many neurons have when packed: {@code I (I + 1) / 2}. */
  public static int size(int inner) {
    return Math.toIntExact((long) inner * (inner + 1) / 2);
  }

  private void check() {
    for (int i = 0; i < inner; i++) {
      for (int j = 0; j <= i; j++) {
        if (!Double.isFinite(at(i, j)) || (i == j && at(i, i) < 0)) {
          throw new BadInputException(
              "moments: expected finite numbers, none below 0 on the diagonal; found %s at [%d, %d]"
                  .formatted(at(i, j), i, j));
        }
      }
    }
  }

  /** Neurons, {@code I}. */
  public int inner() {
    return inner;
  }

  /**
   * Moments around the mean, {@code M - s s^T / w}: what is left to neurons where a constant takes
   * the mean.
   *
   * @param sum {@code s = sum g^2 a}, {@code [I]}
   * @param weight {@code w = sum g^2}
   */
  public Moments centred(double[] sum, double weight) {
    double[] centred = packed.clone();
    for (int i = 0, at = 0; i < inner; i++) {
      for (int j = 0; j <= i; j++, at++) {
        centred[at] -= weight == 0 ? 0 : sum[i] * sum[j] / weight;
      }
      centred[at - 1] = Math.max(0, centred[at - 1]);
    }
    return of(inner, centred);
  }

  double at(int i, int j) {
    return i < j ? packed[j * (j + 1) / 2 + i] : packed[i * (i + 1) / 2 + j];
  }

  /** Whether nothing was measured: every neuron was silent, or no token chose the expert. */
  boolean areZero() {
    return ridge() == 0;
  }

  /** {@code rho = 0.01 mean(diag M)}. */
  double ridge() {
    double trace = 0;
    for (int i = 0; i < inner; i++) {
      trace += at(i, i);
    }
    return RIDGE * trace / Math.max(1, inner);
  }

  /**
   * A solver for {@code M_SS + rho I}, {@code S} being these neurons. It runs on the thread that
   * calls it, and rounds alike on every machine.
   *
   * @throws BadInputException if the matrix is not positive definite
   */
  LinearSolverDense<DMatrixRMaj> solver(int[] neurons) {
    DMatrixRMaj regular = part(neurons, neurons);
    double ridge = ridge();
    for (int i = 0; i < neurons.length; i++) {
      regular.data[i * neurons.length + i] += ridge;
    }
    LinearSolverDense<DMatrixRMaj> solver =
        new LinearSolver_DDRB_to_DDRM(new CholeskyOuterSolver_DDRB());
    if (!solver.setA(regular)) {
      throw new BadInputException(
          "moments of %d neurons: expected a positive semidefinite matrix".formatted(inner));
    }
    return solver;
  }

  /** {@code M[rows, columns]}. */
  DMatrixRMaj part(int[] rows, int[] columns) {
    DMatrixRMaj part = new DMatrixRMaj(rows.length, columns.length);
    int next = 0;
    for (int row : rows) {
      for (int column : columns) {
        part.data[next++] = at(row, column);
      }
    }
    return part;
  }
}
