package io.moneonnx.narrow;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ejml.data.DMatrixRMaj;

/**
 * A symmetric matrix from which outer products are subtracted, {@code A -= l r^T}. Only the
 * diagonal is updated at once. Rows are computed when they are asked for; the matrix itself is
 * updated by all pending products together, which costs arithmetic instead of memory traffic.
 *
 * <p>Every sum runs in one order, so that results are the same on every machine.
 */
final class LazySymmetric {
  /** Vectors that are subtracted from a row in one go. */
  private static final int LANES = 8;

  /** The lower triangle, without the pending products. */
  private double[][] rows;

  private double[] diagonal;
  private final List<double[]> left = new ArrayList<>();
  private final List<double[]> right = new ArrayList<>();

  LazySymmetric(DMatrixRMaj matrix) {
    rows = new double[matrix.numRows][];
    diagonal = new double[matrix.numRows];
    for (int i = 0; i < rows.length; i++) {
      int from = i * matrix.numCols;
      rows[i] = Arrays.copyOfRange(matrix.data, from, from + i + 1);
      diagonal[i] = rows[i][i];
    }
  }

  int size() {
    return rows.length;
  }

  double diagonal(int i) {
    return diagonal[i];
  }

  /** Row {@code j}, which is column {@code j}. */
  double[] row(int j) {
    double[] row = Arrays.copyOf(rows[j], size());
    for (int i = j + 1; i < size(); i++) {
      row[i] = rows[i][j];
    }
    subtract(row, size(), right.toArray(double[][]::new), routingWeights(j));
    return row;
  }

  /**
   * Subtracts {@code l r^T}; all products between two calls of {@link #row} add up to a symmetric
   * one.
   */
  void subtract(double[] l, double[] r) {
    left.add(l);
    right.add(r);
    for (int i = 0; i < size(); i++) {
      diagonal[i] -= l[i] * r[i];
    }
  }

  /** Applies the pending products, and drops all other rows and columns. */
  void keep(int[] living) {
    double[][] packed = right.stream().map(r -> at(living, r)).toArray(double[][]::new);
    double[][] kept = new double[living.length][];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = at(Arrays.copyOf(living, i + 1), rows[living[i]]);
      subtract(kept[i], i + 1, packed, routingWeights(living[i]));
    }
    rows = kept;
    diagonal = at(living, diagonal);
    left.clear();
    right.clear();
  }

  private static double[] at(int[] indices, double[] values) {
    double[] found = new double[indices.length];
    for (int i = 0; i < found.length; i++) {
      found[i] = values[indices[i]];
    }
    return found;
  }

  /** The factors of the right vectors in row {@code i}. */
  private double[] routingWeights(int i) {
    return left.stream().mapToDouble(l -> l[i]).toArray();
  }

  /** {@code y -= sum_t c[t] x[t]}, its first {@code length} elements. */
  private static void subtract(double[] y, int length, double[][] x, double[] c) {
    int t = 0;
    for (; t + LANES <= x.length; t += LANES) {
      subtract(y, length, x, c, t);
    }
    for (; t < x.length; t++) {
      double[] xt = x[t];
      double ct = c[t];
      for (int i = 0; i < length; i++) {
        y[i] -= ct * xt[i];
      }
    }
  }

  /** Eight vectors from {@code t}; a loop that the compiler vectorises. */
  private static void subtract(double[] y, int length, double[][] x, double[] c, int t) {
    double[] x0 = x[t];
    double[] x1 = x[t + 1];
    double[] x2 = x[t + 2];
    double[] x3 = x[t + 3];
    double[] x4 = x[t + 4];
    double[] x5 = x[t + 5];
    double[] x6 = x[t + 6];
    double[] x7 = x[t + 7];
    double c0 = c[t];
    double c1 = c[t + 1];
    double c2 = c[t + 2];
    double c3 = c[t + 3];
    double c4 = c[t + 4];
    double c5 = c[t + 5];
    double c6 = c[t + 6];
    double c7 = c[t + 7];
    for (int i = 0; i < length; i++) {
      y[i] -=
          c0 * x0[i]
              + c1 * x1[i]
              + c2 * x2[i]
              + c3 * x3[i]
              + c4 * x4[i]
              + c5 * x5[i]
              + c6 * x6[i]
              + c7 * x7[i];
    }
  }
}
