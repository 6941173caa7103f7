package io.moneonnx.narrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moneonnx.graph.BadInputException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RemovalOrderTest {
  /** Fewer tokens than neurons leave moments of lower rank. */
  @ParameterizedTest
  @CsvSource({"3, 1, 5", "1, 2, 9", "4, 7, 50", "8, 33, 200", "16, 70, 90", "12, 100, 40"})
  void isTheGreedyOrderOfTheTextbook(int hidden, int inner, int tokens) {
    Samples samples = Samples.random(hidden, inner, tokens);

    RemovalOrder order = RemovalOrder.of(samples.moments(), samples.matrix());

    Textbook textbook = Textbook.of(samples);
    assertThat(order.removed()).containsExactly(textbook.removed);
    assertThat(order.distortions())
        .containsExactly(textbook.distortions, within(1e-9 * order.distortion(0)));
  }

  /** What is lost without re-fitting, summed up neuron by neuron. */
  @ParameterizedTest
  @CsvSource({"3, 8, 50, 2", "8, 12, 200, 4", "5, 6, 40, 1", "4, 6, 9, 6"})
  void ofGroupsRemovesWhatAddsLeast(int hidden, int inner, int tokens, int group) {
    Samples samples = Samples.random(hidden, inner, tokens);

    RemovalOrder order = RemovalOrder.ofGroups(samples.moments(), samples.matrix(), group);

    boolean[] isGone = new boolean[inner];
    for (int width = inner - group; width >= 0; width -= group) {
      int first = order.removed()[inner - group - width];
      double least = Double.POSITIVE_INFINITY;
      for (int other = 0; other < inner; other += group) {
        least = isGone[other] ? least : Math.min(least, lost(samples, isGone, other, group));
      }
      assertThat(first % group).isZero();
      assertThat(lost(samples, isGone, first, group)).isCloseTo(least, within(1e-9 * least));
      for (int i = 0; i < group; i++) {
        isGone[first + i] = true;
        assertThat(order.removed()[inner - group - width + i]).isEqualTo(first + i);
        assertThat(order.distortion(width + i))
            .isCloseTo(Math.max(least, order.distortion(width + group)), within(1e-9 * least));
      }
    }
    assertThat(RemovalOrder.of(order.removed(), order.distortions()).kept(group)).hasSize(group);
  }

  private static double lost(Samples samples, boolean[] isGone, int first, int group) {
    double[][] m = samples.m();
    double lost = 0;
    for (double[] row : samples.down()) {
      for (int i = 0; i < row.length; i++) {
        for (int j = 0; j < row.length; j++) {
          boolean isLost =
              (isGone[i] || (i >= first && i < first + group))
                  && (isGone[j] || (j >= first && j < first + group));
          lost += isLost ? row[i] * m[i][j] * row[j] : 0;
        }
      }
    }
    return lost;
  }

  /** {@code R} and {@code K} in full, brought up to date with every removal. */
  private static final class Textbook {
    private final int[] removed;
    private final double[] distortions;

    private Textbook(int[] removed, double[] distortions) {
      this.removed = removed;
      this.distortions = distortions;
    }

    static Textbook of(Samples samples) {
      int inner = samples.inner();
      double[][] k = inverse(samples);
      double[][] r = Arrays.stream(samples.down()).map(double[]::clone).toArray(double[][]::new);
      int[] removed = new int[inner];
      double[] distortions = new double[inner + 1];
      boolean[] gone = new boolean[inner];
      double objective = 0;
      for (int width = inner - 1; width >= 0; width--) {
        int best = -1;
        double least = 0;
        for (int j = 0; j < inner; j++) {
          if (!gone[j] && (best < 0 || cost(r, k, j) < least)) {
            best = j;
            least = cost(r, k, j);
          }
        }
        gone[best] = true;
        removed[inner - 1 - width] = best;
        objective += least - samples.ridge() * square(samples.down(), best);
        distortions[width] = Math.max(distortions[width + 1], objective);
        double[] row = k[best].clone();
        eliminate(r, best, row);
        eliminate(k, best, row);
      }
      return new Textbook(removed, distortions);
    }

    private static double cost(double[][] r, double[][] k, int j) {
      return square(r, j) / k[j][j];
    }

    private static double square(double[][] matrix, int j) {
      double square = 0;
      for (double[] row : matrix) {
        square += row[j] * row[j];
      }
      return square;
    }

    private static void eliminate(double[][] matrix, int j, double[] row) {
      for (double[] values : matrix) {
        double factor = values[j] / row[j];
        for (int i = 0; i < row.length; i++) {
          values[i] -= factor * row[i];
        }
      }
    }

    /** {@code (M + rho I)^-1} by Gauss and Jordan. */
    private static double[][] inverse(Samples samples) {
      int inner = samples.inner();
      double[][] m = samples.m();
      double[][] inverse = new double[inner][inner];
      for (int i = 0; i < inner; i++) {
        m[i][i] += samples.ridge();
        inverse[i][i] = 1;
      }
      for (int pivot = 0; pivot < inner; pivot++) {
        double scale = m[pivot][pivot];
        for (int i = 0; i < inner; i++) {
          m[pivot][i] /= scale;
          inverse[pivot][i] /= scale;
        }
        for (int row = 0; row < inner; row++) {
          double factor = row == pivot ? 0 : m[row][pivot];
          for (int i = 0; i < inner; i++) {
            m[row][i] -= factor * m[pivot][i];
            inverse[row][i] -= factor * inverse[pivot][i];
          }
        }
      }
      return inverse;
    }
  }

  @Test
  void keepsNestedSetsWhoseDistortionFallsToZero() {
    Samples samples = Samples.random(6, 45, 30);

    RemovalOrder order = RemovalOrder.of(samples.moments(), samples.matrix());

    assertThat(order.kept(0)).isEmpty();
    assertThat(order.kept(45)).containsExactly(IntStream.range(0, 45).toArray());
    assertThat(order.distortion(45)).isZero();
    for (int width = 2; width <= 45; width++) {
      assertThat(order.kept(width)).hasSize(width).isSorted().contains(order.kept(width - 1));
      assertThat(order.distortion(width)).isLessThanOrEqualTo(order.distortion(width - 1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 32, 33, 80})
  void removesEqualNeuronsByNumber(int inner) {
    RemovalOrder order =
        RemovalOrder.of(Samples.moments(diagonal(inner, 3)), Samples.matrix(diagonal(inner, 2)));

    assertThat(order.removed()).containsExactly(IntStream.range(0, inner).toArray());
    assertThat(order.distortion(0)).isCloseTo(inner * 3 * 4.0, within(1e-9));
  }

  @Test
  void removesSilentNeuronsFirst() {
    double[][] m = diagonal(4, 5);
    m[2][2] = 0;

    RemovalOrder order = RemovalOrder.of(Samples.moments(m), Samples.matrix(diagonal(4, 1)));

    assertThat(order.removed()).containsExactly(2, 0, 1, 3);
    assertThat(order.distortion(3)).isCloseTo(0, within(1e-12));
  }

  @Test
  void anExpertThatWasNeverChosenLosesNothing() {
    RemovalOrder order =
        RemovalOrder.of(
            Moments.of(3, new float[Moments.size(3)]), Samples.random(2, 3, 1).matrix());

    assertThat(order.removed()).containsExactly(0, 1, 2);
    assertThat(order.distortions()).containsOnly(0);
  }

  @Test
  void aNeuronWithoutWeightsCostsNothing() {
    Samples samples = Samples.random(2, 3, 20);
    for (double[] row : samples.down()) {
      row[1] = 0;
    }

    RemovalOrder order = RemovalOrder.of(samples.moments(), samples.matrix());

    assertThat(order.removed()).startsWith(1);
    assertThat(order.distortion(2)).isZero();
  }

  @Test
  void singlePrecisionIsTakenAsItIs() {
    float[] packed = {2, 1, 3, 0.5f, 0, 1};
    double[] wide = {2, 1, 3, 0.5, 0, 1};
    float[] down = {1, 0, 2, 0.5f, 1, 1};

    RemovalOrder order = RemovalOrder.of(Moments.of(3, packed), DownMatrix.of(2, 3, down));

    assertThat(order.distortions())
        .containsExactly(
            RemovalOrder.of(
                    Moments.of(3, wide), DownMatrix.of(2, 3, new double[] {1, 0, 2, 0.5, 1, 1}))
                .distortions());
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
  void momentsMustBeFinite(double value) {
    assertThatThrownBy(() -> Moments.of(2, new double[] {1, value, 1}))
        .isInstanceOf(BadInputException.class)
        .hasMessage(
            "moments: expected finite numbers, none below 0 on the diagonal; found %s at [1, 0]",
            value);
  }

  @Test
  void momentsMustBeSquares() {
    assertThatThrownBy(() -> Moments.of(2, new double[] {1, 0, -1}))
        .isInstanceOf(BadInputException.class)
        .hasMessageEndingWith("found -1.0 at [1, 1]");
    assertThatThrownBy(
            () ->
                RemovalOrder.of(
                    Moments.of(2, new double[] {1, 5, 1}), Samples.matrix(diagonal(2, 1))))
        .isInstanceOf(BadInputException.class)
        .hasMessage("moments of 2 neurons: expected a positive semidefinite matrix");
  }

  @Test
  void productsMustBeFinite() {
    assertThatThrownBy(
            () ->
                RemovalOrder.of(
                    Moments.of(1, new double[] {1e300}), Samples.matrix(diagonal(1, 1e200))))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("overflow double precision at neuron 0");
    assertThatThrownBy(() -> DownMatrix.of(1, 2, new double[] {0, Double.NaN}))
        .isInstanceOf(BadInputException.class)
        .hasMessage("down projection: expected finite numbers, found NaN at [0, 1]");
  }

  @Test
  void isRestoredFromAFile() {
    RemovalOrder order = RemovalOrder.of(new int[] {2, 0, 1}, new double[] {5, 3, 3, 0});

    assertThat(order.kept(2)).containsExactly(0, 1);
    assertThat(order.distortion(1)).isEqualTo(3);
  }

  @Test
  void aFileMustHoldAnOrder() {
    assertThatThrownBy(() -> RemovalOrder.of(new int[] {2, 0, 0}, new double[] {5, 3, 3, 0}))
        .isInstanceOf(BadInputException.class)
        .hasMessage("removal order: expected each neuron from 0 to 2 once");
    for (double[] wrong : new double[][] {{1, 2, 0}, {2, 1, 1}, {1, 0}, {Double.NaN, 1, 0}}) {
      assertThatThrownBy(() -> RemovalOrder.of(new int[] {1, 0}, wrong))
          .isInstanceOf(BadInputException.class)
          .hasMessage(
              "removal order: expected 3 finite distortions, none above the one before, the last 0");
    }
  }

  private static double[][] diagonal(int size, double value) {
    double[][] diagonal = new double[size][size];
    for (int i = 0; i < size; i++) {
      diagonal[i][i] = value;
    }
    return diagonal;
  }
}
