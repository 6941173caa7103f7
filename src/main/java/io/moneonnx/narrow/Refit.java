package io.moneonnx.narrow;

import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.mult.MatrixMatrixMult_DDRM;

/** The down projection of a narrow expert, by least squares. */
public final class Refit {
  private Refit() {}

  /**
   * {@code D' = D_S + D_R M_RS (M_SS + rho I)^-1}, {@code [H, k]}: minimises {@code sum g^2 ||f -
   * f'||^2 + rho ||D_S - D'||^2} for the kept neurons {@code S}, without the others {@code R}.
   * Where all are kept, {@code down} itself.
   *
   * @param down {@code D}, {@code [H, I]}
   * @param kept {@code S}, ascending
   */
  public static DownMatrix of(Moments moments, DownMatrix down, int[] kept) {
    if (kept.length == down.inner()) {
      return down;
    }
    DMatrixRMaj columns = down.columns(kept);
    if (kept.length > 0 && !moments.areZero()) {
      int[] removed = others(down.inner(), kept);
      DMatrixRMaj lost = new DMatrixRMaj(kept.length, down.hidden());
      MatrixMatrixMult_DDRM.mult_reorder(moments.part(kept, removed), down.columns(removed), lost);
      DMatrixRMaj compensation = new DMatrixRMaj(kept.length, down.hidden());
      moments.solver(kept).solve(lost, compensation);
      CommonOps_DDRM.addEquals(columns, compensation);
    }
    return DownMatrix.ofColumns(columns);
  }

  /** The columns of these neurons as they are, {@code [H, k]}. */
  public static DownMatrix columns(DownMatrix down, int[] kept) {
    return DownMatrix.ofColumns(down.columns(kept));
  }

  /**
   * What an expert that keeps some neurons is off by: {@code sum g^2 ||f - f'||^2 = tr(E M E^T)},
   * {@code E} what its down projection differs by from the one at full width.
   *
   * @param kept ascending
   * @param other of them, {@code [H, k]}
   */
  public static double error(Moments moments, DownMatrix down, int[] kept, DownMatrix other) {
    int inner = down.inner();
    double[] off = new double[inner];
    double error = 0;
    for (int row = 0; row < down.hidden(); row++) {
      for (int i = 0; i < inner; i++) {
        off[i] = down.at(row, i);
      }
      for (int i = 0; i < kept.length; i++) {
        off[kept[i]] -= other.at(row, i);
      }
      for (int i = 0; i < inner; i++) {
        for (int j = 0; j < i; j++) {
          error += 2 * off[i] * off[j] * moments.at(i, j);
        }
        error += off[i] * off[i] * moments.at(i, i);
      }
    }
    return Math.max(0, error);
  }

  private static int[] others(int inner, int[] kept) {
    boolean[] isKept = new boolean[inner];
    for (int neuron : kept) {
      isKept[neuron] = true;
    }
    return IntStream.range(0, inner).filter(neuron -> !isKept[neuron]).toArray();
  }

  /**
   * The mean output that a narrow expert lacks: {@code c = D mu - D' mu_S}, {@code [H]}. For a
   * re-fit with {@link Moments#centred centred} moments.
   *
   * @param mean {@code mu = sum g^2 a / sum g^2}, {@code [I]}
   */
  public static double[] constant(DownMatrix down, DownMatrix refitted, int[] kept, double[] mean) {
    double[] constant = new double[down.hidden()];
    for (int row = 0; row < constant.length; row++) {
      for (int neuron = 0; neuron < mean.length; neuron++) {
        constant[row] += down.at(row, neuron) * mean[neuron];
      }
      for (int i = 0; i < kept.length; i++) {
        constant[row] -= refitted.at(row, i) * mean[kept[i]];
      }
    }
    return constant;
  }
}
