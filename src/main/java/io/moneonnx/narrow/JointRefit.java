package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.block.linsol.chol.CholeskyOuterSolver_DDRB;
import org.ejml.dense.row.linsol.LinearSolver_DDRB_to_DDRM;
import org.ejml.dense.row.mult.MatrixMatrixMult_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * What the down projections of all experts of a block take on together, by least squares. With
 * {@code phi} the activations of all kept neurons times routing weights, 0 where a token did not
 * choose the expert, and {@code r} what the residual stream lacks behind the block:
 *
 * <pre>{@code
 * (sum phi phi^T + Lambda) Delta = sum phi r^T
 * }</pre>
 *
 * {@code Lambda} is for each expert 0.03 of the mean diagonal of its own part and 0.003 of that of
 * all. Solved by conjugate gradients, preconditioned by each expert's own part. Only activations of
 * tokens that chose an expert are kept, so that memory grows with the calls and not with the square
 * of the neurons.
 */
public final class JointRefit {
  private static final double OWN_RIDGE = 0.03;
  private static final double RIDGE = 0.003;

  /** The largest residual of an output's equations, as a part of their right side. */
  private static final double TOLERANCE = 1e-10;

  /** Conditioned as they are, equations take some fifty. */
  private static final int MOST_STEPS = 10_000;

  /** Outputs that are solved for together: what one token has of them stays in a core's cache. */
  private static final int COLUMNS = 64;

  private final int hidden;
  private final List<Expert> experts = new ArrayList<>();
  private double energy;
  private int tokens;

  /**
   * Without any tokens yet.
   *
   * @param hidden outputs of the down projections
   * @param widths neurons that each expert keeps
   */
  public JointRefit(int hidden, List<Integer> widths) {
    this.hidden = hidden;
    widths.forEach(width -> experts.add(new Expert(width, hidden)));
  }

  /**
   * What to add to the down projections.
   *
   * @param corrections {@code Delta^T} of each expert, {@code [hidden, width]}
   * @param before {@code sum |r|^2}
   * @param after the same with the corrections added
   */
  public record Solution(List<DownMatrix> corrections, double before, double after) {
    public Solution {
      corrections = List.copyOf(corrections);
    }
  }

  /**
   * Adds the calls of one expert in a run; different experts may be added on different threads.
   *
   * @param called the tokens that chose it, by their number in the run
   * @param activations times routing weights, {@code [called, width]}
   * @param residual of all tokens of the run, {@code [tokens, hidden]}
   */
  public void add(int expert, int[] called, float[] activations, float[] residual) {
    experts.get(expert).add(tokens, called, activations, residual);
  }

  /**
   * Ends a run: tokens that are added from now on are others.
   *
   * @throws BadInputException if its residual is not finite
   */
  public void next(float[] residual) {
    for (float value : residual) {
      energy += (double) value * value;
    }
    if (!Double.isFinite(energy)) {
      throw new BadInputException("the residual stream: expected finite numbers");
    }
    tokens += residual.length / hidden;
  }

  /**
   * Solves the equations of all tokens so far.
   *
   * @throws BadInputException if an activation is not finite
   */
  public Solution solve() {
    double trace = experts.stream().mapToDouble(Expert::trace).sum();
    int neurons = experts.stream().mapToInt(expert -> expert.width).sum();
    if (!Double.isFinite(trace)) {
      throw new BadInputException("inner activations: expected finite numbers");
    }
    double[] after = new double[hidden];
    List<DMatrixRMaj> corrections =
        experts.stream().map(expert -> new DMatrixRMaj(expert.width, hidden)).toList();
    if (trace > 0) {
      experts.parallelStream().forEach(expert -> expert.precondition(trace / neurons));
      int parts = (hidden + COLUMNS - 1) / COLUMNS;
      IntStream.range(0, parts)
          .parallel()
          .mapToObj(part -> new Columns(part * COLUMNS, Math.min(hidden, (part + 1) * COLUMNS)))
          .forEach(columns -> columns.solve(corrections, after));
    }
    return new Solution(
        corrections.stream().map(DownMatrix::ofColumns).toList(),
        energy,
        energy - Arrays.stream(after).sum());
  }

  /** The calls of one expert. */
  private static final class Expert {
    private final int width;
    private final int hidden;
    private final double[] right;
    private final List<int[]> tokens = new ArrayList<>();
    private final List<float[]> activations = new ArrayList<>();
    private final DMatrixRMaj inverse;
    private double ridge;

    Expert(int width, int hidden) {
      this.width = width;
      this.hidden = hidden;
      this.right = new double[width * hidden];
      this.inverse = new DMatrixRMaj(width, width);
    }

    void add(int before, int[] called, float[] rows, float[] residual) {
      for (int row = 0; row < called.length; row++) {
        for (int neuron = 0; neuron < width; neuron++) {
          double a = rows[row * width + neuron];
          int to = neuron * hidden;
          int from = called[row] * hidden;
          for (int i = 0; i < hidden; i++) {
            right[to + i] += a * residual[from + i];
          }
        }
      }
      tokens.add(Arrays.stream(called).map(token -> token + before).toArray());
      activations.add(rows.clone());
    }

    double trace() {
      double trace = 0;
      for (float[] rows : activations) {
        for (float a : rows) {
          trace += (double) a * a;
        }
      }
      return trace;
    }

    /** Its own part of the matrix, inverted. */
    void precondition(double mean) {
      ridge = OWN_RIDGE * trace() / width + RIDGE * mean;
      DMatrixRMaj own = new DMatrixRMaj(width, width);
      for (float[] rows : activations) {
        for (int at = 0; at < rows.length; at += width) {
          for (int i = 0; i < width; i++) {
            double a = rows[at + i];
            for (int j = 0; j < width; j++) {
              own.data[i * width + j] += a * rows[at + j];
            }
          }
        }
      }
      for (int i = 0; i < width; i++) {
        own.data[i * width + i] += ridge;
      }
      LinearSolverDense<DMatrixRMaj> solver =
          new LinearSolver_DDRB_to_DDRM(new CholeskyOuterSolver_DDRB());
      if (!solver.setA(own)) {
        throw new BadInputException("moments of kept neurons: expected a positive definite matrix");
      }
      solver.invert(inverse);
    }

    /** {@code y += A p}, one row a token. */
    void addOutputs(double[] p, double[] y, int columns) {
      for (int part = 0; part < tokens.size(); part++) {
        int[] called = tokens.get(part);
        float[] rows = activations.get(part);
        for (int row = 0; row < called.length; row++) {
          int to = called[row] * columns;
          for (int neuron = 0; neuron < width; neuron++) {
            double a = rows[row * width + neuron];
            int from = neuron * columns;
            for (int i = 0; i < columns; i++) {
              y[to + i] += a * p[from + i];
            }
          }
        }
      }
    }

    /** {@code q = A^T y + ridge p}. */
    void collect(double[] y, double[] p, double[] q, int columns) {
      for (int i = 0; i < q.length; i++) {
        q[i] = ridge * p[i];
      }
      for (int part = 0; part < tokens.size(); part++) {
        int[] called = tokens.get(part);
        float[] rows = activations.get(part);
        for (int row = 0; row < called.length; row++) {
          int from = called[row] * columns;
          for (int neuron = 0; neuron < width; neuron++) {
            double a = rows[row * width + neuron];
            int to = neuron * columns;
            for (int i = 0; i < columns; i++) {
              q[to + i] += a * y[from + i];
            }
          }
        }
      }
    }
  }

  /** Conjugate gradients for some of the outputs, all at once; each has steps of its own. */
  private final class Columns {
    private final int first;
    private final int count;
    private final double[] outputs;
    private final List<double[]> solution;
    private final List<double[]> residual;
    private final List<double[]> direction;
    private final List<double[]> image;
    private final List<double[]> conditioned;

    Columns(int first, int end) {
      this.first = first;
      this.count = end - first;
      this.outputs = new double[tokens * count];
      this.solution = vectors();
      this.residual = vectors();
      this.direction = vectors();
      this.image = vectors();
      this.conditioned = vectors();
    }

    private List<double[]> vectors() {
      return experts.stream().map(expert -> new double[expert.width * count]).toList();
    }

    /**
     * Puts the solution where it belongs.
     *
     * @param gain by how much the energy of each output falls
     */
    void solve(List<DMatrixRMaj> corrections, double[] gain) {
      for (int e = 0; e < experts.size(); e++) {
        Expert expert = experts.get(e);
        for (int neuron = 0; neuron < expert.width; neuron++) {
          System.arraycopy(
              expert.right, neuron * hidden + first, residual.get(e), neuron * count, count);
        }
      }
      List<double[]> right = residual.stream().map(double[]::clone).toList();
      iterate(dots(right, right));
      for (int e = 0; e < experts.size(); e++) {
        Expert expert = experts.get(e);
        for (int at = 0; at < solution.get(e).length; at++) {
          double x = solution.get(e)[at];
          gain[first + at % count] +=
              x * (right.get(e)[at] + expert.ridge * x + residual.get(e)[at]);
        }
        for (int neuron = 0; neuron < expert.width; neuron++) {
          System.arraycopy(
              solution.get(e),
              neuron * count,
              corrections.get(e).data,
              neuron * hidden + first,
              count);
        }
      }
    }

    private void iterate(double[] scale) {
      precondition();
      for (int e = 0; e < experts.size(); e++) {
        System.arraycopy(conditioned.get(e), 0, direction.get(e), 0, direction.get(e).length);
      }
      double[] slope = dots(residual, conditioned);
      for (int step = 0; !isSolved(scale); step++) {
        if (step == MOST_STEPS) {
          throw new IllegalStateException(
              "conjugate gradients: no solution in %,d steps".formatted(step));
        }
        multiply();
        double[] along = ratios(slope, dots(direction, image));
        add(solution, along, direction);
        add(residual, Arrays.stream(along).map(a -> -a).toArray(), image);
        precondition();
        double[] next = dots(residual, conditioned);
        double[] back = ratios(next, slope);
        slope = next;
        turn(back);
      }
    }

    private boolean isSolved(double[] scale) {
      double[] left = dots(residual, residual);
      return IntStream.range(0, count)
          .allMatch(column -> left[column] <= TOLERANCE * TOLERANCE * scale[column]);
    }

    private void multiply() {
      Arrays.fill(outputs, 0);
      for (int e = 0; e < experts.size(); e++) {
        experts.get(e).addOutputs(direction.get(e), outputs, count);
      }
      for (int e = 0; e < experts.size(); e++) {
        experts.get(e).collect(outputs, direction.get(e), image.get(e), count);
      }
    }

    private void precondition() {
      for (int e = 0; e < experts.size(); e++) {
        int width = experts.get(e).width;
        MatrixMatrixMult_DDRM.mult_reorder(
            experts.get(e).inverse,
            DMatrixRMaj.wrap(width, count, residual.get(e)),
            DMatrixRMaj.wrap(width, count, conditioned.get(e)));
      }
    }

    /** {@code direction = conditioned + back direction}. */
    private void turn(double[] back) {
      for (int e = 0; e < experts.size(); e++) {
        double[] d = direction.get(e);
        double[] z = conditioned.get(e);
        for (int at = 0; at < d.length; at++) {
          d[at] = z[at] + back[at % count] * d[at];
        }
      }
    }

    private void add(List<double[]> to, double[] factor, List<double[]> what) {
      for (int e = 0; e < experts.size(); e++) {
        double[] sum = to.get(e);
        double[] term = what.get(e);
        for (int at = 0; at < sum.length; at++) {
          sum[at] += factor[at % count] * term[at];
        }
      }
    }

    private double[] dots(List<double[]> left, List<double[]> right) {
      double[] dots = new double[count];
      for (int e = 0; e < experts.size(); e++) {
        double[] a = left.get(e);
        double[] b = right.get(e);
        for (int at = 0; at < a.length; at++) {
          dots[at % count] += a[at] * b[at];
        }
      }
      return dots;
    }

    /** A column that is solved makes no step any more. */
    private double[] ratios(double[] above, double[] below) {
      return IntStream.range(0, count)
          .mapToDouble(column -> below[column] > 0 ? above[column] / below[column] : 0)
          .toArray();
    }
  }
}
