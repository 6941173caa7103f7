package io.moneonnx.eval;

import io.moneonnx.data.TokenPair;
import io.moneonnx.graph.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Rows that are run together.
 *
 * @param seen how many tokens at the beginning of each are not fed, for they are in a cache
 */
record TokenBatch(List<TokenRow> rows, int seen) {
  TokenBatch {
    rows = List.copyOf(rows);
  }

  /** What is fed of each row. */
  List<List<Long>> fed() {
    return rows.stream().map(row -> row.fed().subList(seen, row.fed().size())).toList();
  }

  /** The positions after which any row's tokens are asked for, as the graph counts them. */
  Tensor positions() {
    return Tensor.vector(LongStream.range(first() - seen, end() - seen).toArray());
  }

  private int first() {
    return rows.stream().mapToInt(TokenRow::start).min().orElseThrow();
  }

  private int end() {
    return rows.stream().mapToInt(row -> row.fed().size()).max().orElseThrow();
  }

  private int slots() {
    return rows.stream().mapToInt(row -> row.pairs().size()).max().orElseThrow();
  }

  /**
   * The tokens asked for: {@code [batch, positions, slots]}.
   *
   * @param batch sequences that are fed, those that only fill up a batch among them
   */
  Tensor targets(int batch) {
    int positions = end() - first();
    long[] targets = new long[batch * positions * slots()];
    for (int row = 0; row < rows.size(); row++) {
      for (int slot = 0; slot < rows.get(row).pairs().size(); slot++) {
        for (int i = 0; i < positions; i++) {
          targets[at(row, i, slot)] = rows.get(row).target(slot, first() + i);
        }
      }
    }
    return Tensor.of(List.of((long) batch, (long) positions, (long) slots()), targets);
  }

  private int at(int row, int position, int slot) {
    return (row * (end() - first()) + position) * slots() + slot;
  }

  /**
   * Log-likelihoods of all pairs in nats.
   *
   * @param scores of the targets
   */
  Map<TokenPair, Double> likelihoods(Tensor scores) {
    float[] found = scores.toFloats();
    Map<TokenPair, Double> likelihoods = new HashMap<>();
    for (int row = 0; row < rows.size(); row++) {
      for (int slot = 0; slot < rows.get(row).pairs().size(); slot++) {
        TokenPair pair = rows.get(row).pairs().get(slot);
        int from = pair.context().size() - 1 - first();
        double sum = 0;
        for (int i = from; i < from + pair.continuation().size(); i++) {
          sum += found[at(row, i, slot)];
        }
        likelihoods.put(pair, sum);
      }
    }
    return likelihoods;
  }
}
