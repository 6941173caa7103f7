package io.moneonnx.narrow;

import java.util.Random;

/** An expert, and what its neurons put out for some tokens. */
final class Samples {
  /** {@code a}, {@code [tokens, I]}. */
  private final double[][] activations;

  /** {@code g}, {@code [tokens]}. */
  private final double[] routing;

  /** {@code D}, {@code [H, I]}. */
  private final double[][] down;

  private Samples(double[][] activations, double[] routing, double[][] down) {
    this.activations = activations;
    this.routing = routing;
    this.down = down;
  }

  /** Neurons that depend on each other, of unlike sizes. */
  static Samples random(int hidden, int inner, int tokens) {
    Random random = new Random(31L * inner + tokens);
    double[][] activations = normal(tokens, inner, random);
    for (double[] a : activations) {
      for (int i = 1; i < inner; i++) {
        a[i] = (1 + i % 3) * a[i] + 0.5 * a[i - 1];
      }
    }
    double[] routing = random.doubles(tokens).toArray();
    return new Samples(activations, routing, normal(hidden, inner, random));
  }

  private static double[][] normal(int rows, int columns, Random random) {
    double[][] normal = new double[rows][columns];
    for (double[] row : normal) {
      for (int i = 0; i < columns; i++) {
        row[i] = random.nextGaussian();
      }
    }
    return normal;
  }

  double[][] activations() {
    return activations;
  }

  double[][] down() {
    return down;
  }

  int hidden() {
    return down.length;
  }

  int inner() {
    return down[0].length;
  }

  /** {@code M}, written out. */
  double[][] m() {
    double[][] m = new double[inner()][inner()];
    for (int token = 0; token < routing.length; token++) {
      double[] a = activations[token];
      for (int i = 0; i < inner(); i++) {
        for (int j = 0; j < inner(); j++) {
          m[i][j] += routing[token] * routing[token] * a[i] * a[j];
        }
      }
    }
    return m;
  }

  double ridge() {
    double[][] m = m();
    double trace = 0;
    for (int i = 0; i < inner(); i++) {
      trace += m[i][i];
    }
    return 0.01 * trace / inner();
  }

  Moments moments() {
    return moments(m());
  }

  static Moments moments(double[][] m) {
    double[] packed = new double[Moments.size(m.length)];
    for (int i = 0, next = 0; i < m.length; i++) {
      for (int j = 0; j <= i; j++) {
        packed[next++] = m[i][j];
      }
    }
    return Moments.of(m.length, packed);
  }

  DownMatrix matrix() {
    return matrix(down);
  }

  static DownMatrix matrix(double[][] rows) {
    double[] values = new double[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, values, i * rows[i].length, rows[i].length);
    }
    return DownMatrix.of(rows.length, rows[0].length, values);
  }

  double[] mean() {
    double[] mean = new double[inner()];
    for (int token = 0; token < routing.length; token++) {
      for (int i = 0; i < inner(); i++) {
        mean[i] += routing[token] * routing[token] * activations[token][i] / weight();
      }
    }
    return mean;
  }

  double weight() {
    double weight = 0;
    for (double g : routing) {
      weight += g * g;
    }
    return weight;
  }

  /** {@code sum g^2 ||f - f' - c||^2}, {@code f'} of these neurons with this down matrix. */
  double error(int[] kept, DownMatrix narrow, double[] constant) {
    double error = 0;
    for (int token = 0; token < routing.length; token++) {
      double[] a = activations[token];
      for (int row = 0; row < hidden(); row++) {
        double lost = -constant[row];
        for (int i = 0; i < inner(); i++) {
          lost += down[row][i] * a[i];
        }
        for (int i = 0; i < kept.length; i++) {
          lost -= narrow.at(row, i) * a[kept[i]];
        }
        error += routing[token] * routing[token] * lost * lost;
      }
    }
    return error;
  }

  /** {@code ||D_S - D'||^2}. */
  double change(int[] kept, DownMatrix narrow) {
    double change = 0;
    for (int row = 0; row < hidden(); row++) {
      for (int i = 0; i < kept.length; i++) {
        change += Math.pow(down[row][kept[i]] - narrow.at(row, i), 2);
      }
    }
    return change;
  }
}
