package io.moneonnx.narrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RefitTest {
  /** {@code D' (M_SS + rho I) = D M_:S + rho D_S}: where the gradient is 0. */
  @ParameterizedTest
  @CsvSource({"3, 9, 50", "5, 80, 200", "4, 30, 12"})
  void solvesTheNormalEquations(int hidden, int inner, int tokens) {
    Samples samples = Samples.random(hidden, inner, tokens);
    double[][] m = samples.m();
    int[] kept = RemovalOrder.of(samples.moments(), samples.matrix()).kept(inner / 2);

    DownMatrix narrow = Refit.of(samples.moments(), samples.matrix(), kept);

    assertThat(narrow.hidden()).isEqualTo(hidden);
    assertThat(narrow.inner()).isEqualTo(kept.length);
    for (int row = 0; row < hidden; row++) {
      for (int j = 0; j < kept.length; j++) {
        double gradient = samples.ridge() * (narrow.at(row, j) - samples.down()[row][kept[j]]);
        for (int i = 0; i < kept.length; i++) {
          gradient += narrow.at(row, i) * m[kept[i]][kept[j]];
        }
        for (int i = 0; i < inner; i++) {
          gradient -= samples.down()[row][i] * m[i][kept[j]];
        }
        assertThat(gradient).isCloseTo(0, within(1e-9 * samples.ridge() * inner));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"3, 1, 5", "5, 12, 60", "6, 40, 25"})
  void errsByTheDistortionOfItsOrder(int hidden, int inner, int tokens) {
    Samples samples = Samples.random(hidden, inner, tokens);
    RemovalOrder order = RemovalOrder.of(samples.moments(), samples.matrix());

    double most = 0;
    for (int width = inner; width >= 0; width--) {
      int[] kept = order.kept(width);
      DownMatrix narrow = Refit.of(samples.moments(), samples.matrix(), kept);
      double error = samples.error(kept, narrow, new double[hidden]);
      assertThat(Refit.error(samples.moments(), samples.matrix(), kept, narrow))
          .isCloseTo(error, within(1e-9 * order.distortion(0)));
      double penalty = samples.ridge() * samples.change(kept, narrow);
      most = Math.max(most, error + penalty);
      assertThat(order.distortion(width)).isCloseTo(most, within(1e-9 * order.distortion(0)));
    }
  }

  @Test
  void leavesAWholeExpertUntouched() {
    Samples samples = Samples.random(3, 2, 10);
    DownMatrix down = samples.matrix();

    assertThat(Refit.of(samples.moments(), down, new int[] {0, 1})).isSameAs(down);
  }

  @Test
  void nothingIsLeftOfWidthZero() {
    Samples samples = Samples.random(3, 2, 10);

    DownMatrix narrow = Refit.of(samples.moments(), samples.matrix(), new int[0]);

    assertThat(narrow.hidden()).isEqualTo(3);
    assertThat(narrow.toFloats()).isEmpty();
  }

  @Test
  void onlyCutsAnExpertThatWasNeverChosen() {
    DownMatrix down = DownMatrix.of(2, 3, new float[] {1, 2, 3, 4, 5, 6});

    DownMatrix narrow = Refit.of(Moments.of(3, new double[6]), down, new int[] {0, 2});

    assertThat(narrow.toFloats()).containsExactly(1, 3, 4, 6);
  }

  @Test
  void aConstantTakesTheMean() {
    Samples samples = Samples.random(4, 12, 60);
    for (double[] a : samples.activations()) {
      a[3] += 5;
    }
    DownMatrix down = samples.matrix();
    double[] sum = samples.mean();
    for (int i = 0; i < sum.length; i++) {
      sum[i] *= samples.weight();
    }
    Moments centred = samples.moments().centred(sum, samples.weight());
    RemovalOrder order = RemovalOrder.of(centred, down);

    for (int width : new int[] {0, 5, 11}) {
      int[] kept = order.kept(width);
      DownMatrix narrow = Refit.of(centred, down, kept);
      double[] constant = Refit.constant(down, narrow, kept, samples.mean());
      double penalty = centred.ridge() * samples.change(kept, narrow);

      assertThat(samples.error(kept, narrow, constant) + penalty)
          .isCloseTo(order.distortion(width), within(1e-9 * order.distortion(0)));
    }
  }
}
