package io.moneonnx.narrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.BadInputException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Joint re-fits against equations that are solved by elimination. */
final class JointRefitTest {
  private static final int HIDDEN = 70;
  private static final List<Integer> WIDTHS = List.of(3, 1, 5);
  private static final int NEURONS = 9;
  private static final int RUNS = 3;
  private static final int TOKENS = 40;

  private final JointRefit refit = new JointRefit(HIDDEN, WIDTHS);
  private final double[][] features = new double[RUNS * TOKENS][NEURONS];
  private final double[][] residuals = new double[RUNS * TOKENS][HIDDEN];

  /** Every token chooses two of three experts; neurons of an expert are much alike. */
  private void fill() {
    Random random = new Random(3);
    for (int run = 0; run < RUNS; run++) {
      float[] residual = new float[TOKENS * HIDDEN];
      for (int i = 0; i < residual.length; i++) {
        residual[i] = (float) random.nextGaussian();
        residuals[run * TOKENS + i / HIDDEN][i % HIDDEN] = residual[i];
      }
      int from = 0;
      for (int expert = 0; expert < WIDTHS.size(); expert++) {
        int[] called = random.ints(0, TOKENS).distinct().limit(TOKENS * 2 / 3).sorted().toArray();
        float[] rows = new float[called.length * WIDTHS.get(expert)];
        for (int row = 0; row < called.length; row++) {
          double common = random.nextGaussian();
          for (int i = 0; i < WIDTHS.get(expert); i++) {
            float a = (float) (common + 0.1 * random.nextGaussian());
            rows[row * WIDTHS.get(expert) + i] = a;
            features[run * TOKENS + called[row]][from + i] = a;
          }
        }
        refit.add(expert, called, rows, residual);
        from += WIDTHS.get(expert);
      }
      refit.next(residual);
    }
  }

  @Test
  void solvesTheEquationsOfAllExperts() {
    fill();
    JointRefit.Solution solution = refit.solve();

    double[][] expected = eliminated();
    int from = 0;
    for (int expert = 0; expert < WIDTHS.size(); expert++) {
      for (int neuron = 0; neuron < WIDTHS.get(expert); neuron++) {
        for (int row = 0; row < HIDDEN; row++) {
          assertThat(solution.corrections().get(expert).at(row, neuron))
              .isCloseTo(expected[from + neuron][row], within(1e-8));
        }
      }
      from += WIDTHS.get(expert);
    }
  }

  @Test
  void saysHowMuchOfTheResidualIsLeft() {
    fill();
    JointRefit.Solution solution = refit.solve();

    double before = 0;
    double after = 0;
    double[][] delta = eliminated();
    for (int token = 0; token < features.length; token++) {
      for (int row = 0; row < HIDDEN; row++) {
        double left = residuals[token][row];
        before += left * left;
        for (int i = 0; i < NEURONS; i++) {
          left -= features[token][i] * delta[i][row];
        }
        after += left * left;
      }
    }
    assertThat(solution.before()).isCloseTo(before, within(1e-6));
    assertThat(solution.after()).isCloseTo(after, within(1e-6)).isLessThan(0.97 * before);
  }

  @Test
  void addsNothingWhereNoExpertWasChosen() {
    refit.next(new float[2 * HIDDEN]);

    assertThat(refit.solve().corrections())
        .allMatch(correction -> correction.at(0, 0) == 0 && correction.hidden() == HIDDEN);
  }

  @Test
  void refusesResidualsThatAreNotFinite() {
    float[] residual = new float[HIDDEN];
    residual[5] = Float.NaN;

    assertThatThrownBy(() -> refit.next(residual))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("expected finite numbers");
  }

  /** Gauss and Jordan on the whole matrix. */
  private double[][] eliminated() {
    double[][] matrix = new double[NEURONS][NEURONS + HIDDEN];
    for (int token = 0; token < features.length; token++) {
      for (int i = 0; i < NEURONS; i++) {
        for (int j = 0; j < NEURONS; j++) {
          matrix[i][j] += features[token][i] * features[token][j];
        }
        for (int row = 0; row < HIDDEN; row++) {
          matrix[i][NEURONS + row] += features[token][i] * residuals[token][row];
        }
      }
    }
    double[] diagonal = new double[NEURONS];
    double all = 0;
    for (int i = 0; i < NEURONS; i++) {
      diagonal[i] = matrix[i][i];
      all += matrix[i][i] / NEURONS;
    }
    int from = 0;
    for (int width : WIDTHS) {
      double own = 0;
      for (int i = from; i < from + width; i++) {
        own += diagonal[i] / width;
      }
      for (int i = from; i < from + width; i++) {
        matrix[i][i] += 0.03 * own + 0.003 * all;
      }
      from += width;
    }
    for (int i = 0; i < NEURONS; i++) {
      double pivot = matrix[i][i];
      for (int j = 0; j < NEURONS + HIDDEN; j++) {
        matrix[i][j] /= pivot;
      }
      for (int other = 0; other < NEURONS; other++) {
        double factor = matrix[other][i];
        for (int j = 0; other != i && j < NEURONS + HIDDEN; j++) {
          matrix[other][j] -= factor * matrix[i][j];
        }
      }
    }
    double[][] solution = new double[NEURONS][HIDDEN];
    for (int i = 0; i < NEURONS; i++) {
      System.arraycopy(matrix[i], NEURONS, solution[i], 0, HIDDEN);
    }
    return solution;
  }
}
