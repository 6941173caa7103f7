package io.moneonnx.profile;

import java.util.function.DoubleBinaryOperator;

/**
 * How the values of two sets of tokens become those of both, expert by expert. Only rows that are
 * defined on both sides are merged; of others, the defined one is kept as it is.
 */
public enum Merge {
  /** Both added up. */
  SUM {
    @Override
    void row(Statistic of, Statistics a, Statistics b, int row, double... out) {
      each(of, a, b, row, Double::sum, out);
    }
  },
  /** The larger of both. */
  LARGEST {
    @Override
    void row(Statistic of, Statistics a, Statistics b, int row, double... out) {
      each(of, a, b, row, Math::max, out);
    }
  },
  /** A weighted mean: {@code mean_a + (mean_b - mean_a) w_b / (w_a + w_b)}. */
  MEAN {
    @Override
    void row(Statistic of, Statistics a, Statistics b, int row, double... out) {
      Values x = a.get(of);
      Values y = b.get(of);
      Statistic weight = of.weight().orElseThrow();
      double share = share(a.get(weight, row), b.get(weight, row));
      for (int i = 0, at = row * out.length; i < out.length; i++, at++) {
        out[i] = x.get(at) + (y.get(at) - x.get(at)) * share;
      }
    }
  },
  /**
   * Weighted squared deviations from a mean, of each coordinate or summed over all: {@code S_a +
   * S_b + d^2 w_a w_b / (w_a + w_b)} with {@code d = mean_b - mean_a}, Chan's pairwise update.
   */
  SQUARES {
    @Override
    void row(Statistic of, Statistics a, Statistics b, int row, double... out) {
      Values x = a.get(of);
      Values y = b.get(of);
      Statistic weight = of.weight().orElseThrow();
      double w = a.get(weight, row);
      double share = share(w, b.get(weight, row));
      Statistic mean = of.around().orElseThrow();
      int summed = mean.shape().width(a.header()) / out.length;
      for (int i = 0, at = row * out.length; i < out.length; i++, at++) {
        double d2 = squaredDistance(a.get(mean), b.get(mean), at * summed, summed);
        out[i] = x.get(at) + y.get(at) + d2 * share * w;
      }
    }

    private double squaredDistance(Values a, Values b, int from, int length) {
      double sum = 0;
      for (int i = from; i < from + length; i++) {
        double d = b.get(i) - a.get(i);
        sum += d * d;
      }
      return sum;
    }
  };

  /**
   * Merges one expert's row.
   *
   * @param of what is merged
   * @param row the expert
   * @param out takes the merged row
   */
  abstract void row(Statistic of, Statistics a, Statistics b, int row, double... out);

  private static void each(
      Statistic of, Statistics a, Statistics b, int row, DoubleBinaryOperator both, double... out) {
    Values x = a.get(of);
    Values y = b.get(of);
    for (int i = 0, at = row * out.length; i < out.length; i++, at++) {
      out[i] = both.applyAsDouble(x.get(at), y.get(at));
    }
  }

  private static double share(double first, double second) {
    return second / (first + second);
  }
}
