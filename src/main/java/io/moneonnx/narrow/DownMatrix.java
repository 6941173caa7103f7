package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.mult.MatrixMultProduct_DDRM;

/** An expert's down projection, {@code [H, I]}: one row an output, one column a neuron. */
public final class DownMatrix {
  private final DMatrixRMaj values;

  private DownMatrix(DMatrixRMaj values) {
    this.values = values;
  }

  /**
   * From numbers in row-major order.
   *
   * @throws BadInputException if one is not finite; says which
   */
  public static DownMatrix of(int hidden, int inner, double[] values) {
    if (values.length != hidden * inner) {
      throw new IllegalArgumentException(
          "down projection [%d, %d]: found %d numbers".formatted(hidden, inner, values.length));
    }
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        throw new BadInputException(
            "down projection: expected finite numbers, found %s at [%d, %d]"
                .formatted(values[i], i / inner, i % inner));
      }
    }
    return new DownMatrix(new DMatrixRMaj(hidden, inner, true, values));
  }

  /** The same in single precision. */
  public static DownMatrix of(int hidden, int inner, float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return of(hidden, inner, wide);
  }

  /** From its transpose, one row a neuron. */
  static DownMatrix ofColumns(DMatrixRMaj columns) {
    return new DownMatrix(CommonOps_DDRM.transpose(columns, null));
  }

  /** Rows, {@code H}. */
  public int hidden() {
    return values.numRows;
  }

  /** Columns: neurons. */
  public int inner() {
    return values.numCols;
  }

  /** One weight. */
  public double at(int row, int neuron) {
    return values.data[row * values.numCols + neuron];
  }

  /** In row-major order. */
  public float[] toFloats() {
    float[] floats = new float[values.data.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values.data[i];
    }
    return floats;
  }

  /** {@code D^T D}, {@code [I, I]}. */
  DMatrixRMaj gram() {
    DMatrixRMaj gram = new DMatrixRMaj(inner(), inner());
    MatrixMultProduct_DDRM.inner_reorder(values, gram);
    return gram;
  }

  /** The transposed columns of these neurons, {@code [neurons, H]}. */
  DMatrixRMaj columns(int[] neurons) {
    DMatrixRMaj columns = new DMatrixRMaj(neurons.length, hidden());
    int next = 0;
    for (int neuron : neurons) {
      for (int row = 0; row < hidden(); row++) {
        columns.data[next++] = at(row, neuron);
      }
    }
    return columns;
  }
}
