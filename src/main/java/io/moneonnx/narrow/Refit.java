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
