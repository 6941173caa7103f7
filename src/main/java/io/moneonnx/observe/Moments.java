package io.moneonnx.observe;

import io.moneonnx.graph.Ops;
import io.moneonnx.graph.Tensor;
import io.moneonnx.run.Device;
import java.util.List;

/**
 * How sums over the rows of each expert are computed where they have {@code hidden} columns: {@link
 * Taps.Tap#MOMENTS}. All ways give the same, and each is fast on one kind of device
 * (docs/benchmarks.md).
 */
enum Moments {
  /**
   * One expert after another: neither work nor memory grow with the number of experts. On a GPU the
   * host would wait for each expert's bounds.
   */
  BY_EXPERT {
    @Override
    String of(Ops ops, Counted rows) {
      RowsByExpert sorted = RowsByExpert.of(ops, rows.experts(), rows.made(), rows.count());
      String row = sorted.row(); // [N]
      String part = ops.div(ops.scalar(1f), ops.max(rows.count(), ops.scalar(1f)));
      String parts = ops.reshape(ops.gather(part, sorted.expert()), 1, -1); // [1, N]
      String squares = ops.reshape(ops.gather(rows.squares(), row), 1, -1);
      String ones = ops.expand(ops.constant("one", ONE), ops.shape(squares));
      String weights = ops.concat(0, List.of(ones, squares)); // [2, N]
      return sorted.each(
          ops,
          (expert, from, to) -> {
            String own = ops.gather(rows.f(), ops.slice(row, 0, from, to));
            String mean = ops.matMul(ops.slice(parts, 1, from, to), own);
            String off = ops.sub(own, mean);
            String weight = ops.slice(weights, 1, from, to);
            return ops.concat(
                0,
                List.of(
                    mean,
                    ops.matMul(weight, off),
                    ops.matMul(weight, ops.mul(off, off)))); // [5, H]
          });
    }
  },

  /** All experts at once, by products with the matrix of which expert made which row. */
  BY_PRODUCT {
    @Override
    String of(Ops ops, Counted rows) {
      String counts = ops.greater(rows.counting(), ops.scalar(0f));
      String f = ops.where(counts, rows.f(), ops.scalar(0f)); // what does not count may be NaN
      String mean =
          ops.div(ops.matMul(rows.made(), f), ops.max(rows.count(), ops.scalar(1f))); // [E, H]
      String off = ops.sub(f, ops.gather(mean, rows.ids()));
      String weighted = ops.mul(rows.made(), ops.reshape(rows.squares(), 1, -1));
      String weights =
          ops.concat(1, List.of(apart(ops, rows.made()), apart(ops, weighted))); // [E, 2, R]
      return ops.concat(
          1,
          List.of(
              apart(ops, mean),
              ops.matMul(weights, off),
              ops.matMul(weights, ops.mul(off, off)))); // [E, 5, H]
    }

    private String apart(Ops ops, String matrix) {
      return ops.unsqueeze(matrix, 1);
    }
  };

  private static final Tensor ONE = Tensor.of(List.of(1L), 1f);

  /**
   * The rows of one block.
   *
   * @param f {@code [R, H]}
   * @param ids of the expert of each row {@code [R]}
   * @param counting 1 for rows that count, 0 for others {@code [R, 1]}
   * @param made 1 where an expert made a row that counts, 0 elsewhere {@code [E, R]}
   * @param count of rows that count {@code [E, 1]}
   * @param squares the square of each row's routing weight, 0 where it does not count {@code [R,
   *     1]}
   */
  record Counted(
      int experts,
      String f,
      String ids,
      String counting,
      String made,
      String count,
      String squares) {}

  /** What suits a device. */
  static Moments on(Device device) {
    return device instanceof Device.Cpu ? BY_EXPERT : BY_PRODUCT;
  }

  /** {@code [E, 5, H]}. */
  abstract String of(Ops ops, Counted rows);
}
