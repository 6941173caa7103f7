package io.moneonnx.verify;

import io.moneonnx.graph.Tensor;
import io.moneonnx.moe.MoeBlock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Compares what two routers make of the same input: whom they choose, and by which routing weights
 * where they choose alike.
 */
final class RouterCheck {
  private final MoeBlock block;
  private final Set<Integer> gone;
  private final List<Verdict.Flip> flips = new ArrayList<>();
  private double worst;

  /**
   * A check of one router.
   *
   * @param gone the experts that no one may choose
   */
  RouterCheck(MoeBlock block, Set<Integer> gone) {
    this.block = block;
    this.gone = Set.copyOf(gone);
  }

  String name() {
    return block.name();
  }

  /** The values that are compared: whom the block chooses, and its routing weights. */
  Set<String> compared() {
    return new LinkedHashSet<>(
        List.of(block.routing().choice().value(), block.routingWeights().value()));
  }

  /**
   * Takes one run of both: the values of the block's choice and its routing weights, and its
   * scores.
   */
  void add(Map<String, Tensor> expected, Map<String, Tensor> found) {
    Choices choices = new Choices(block, expected, found);
    String routingWeights = block.routingWeights().value();
    float[] right = expected.get(routingWeights).toFloats();
    float[] other = found.get(routingWeights).toFloats();
    double largest = 0;
    double apart = 0;
    for (int token = 0; token < choices.tokens(); token++) {
      OptionalDouble gap = choices.gapAt(token);
      if (gap.isPresent()) {
        flips.add(new Verdict.Flip(block.name(), token, gap.getAsDouble()));
        continue;
      }
      requireGone(choices.found(token), row(other, token, choices.found(token)));
      float[] wanted = row(right, token, choices.expected(token));
      float[] made = row(other, token, choices.found(token));
      for (int i = 0; i < wanted.length; i++) {
        largest = Math.max(largest, Math.abs(wanted[i]));
        apart = Math.max(apart, Math.abs(wanted[i] - made[i]));
      }
    }
    worst = Math.max(worst, apart == 0 ? 0 : apart / largest);
  }

  /** Whoever is gone may be chosen where all others have no share either, and has none. */
  private void requireGone(long[] ids, float[] routingWeights) {
    long[] sorted = Arrays.stream(ids).sorted().toArray();
    for (int i = 0; i < sorted.length; i++) {
      if (gone.contains((int) sorted[i]) && routingWeights[i] != 0) {
        worst = Double.POSITIVE_INFINITY;
      }
    }
  }

  /** The routing weights of the chosen experts in the order of their ids. */
  private float[] row(float[] values, int token, long[] ids) {
    int[] order =
        IntStream.range(0, ids.length)
            .boxed()
            .sorted(Comparator.comparingLong(slot -> ids[slot]))
            .mapToInt(Integer::intValue)
            .toArray();
    float[] row = new float[order.length];
    for (int i = 0; i < row.length; i++) {
      row[i] = block.routingWeights().at(values, block.routing(), token, order[i], ids[order[i]]);
    }
    return row;
  }

  /** The largest relative error of a routing weight. */
  double worst() {
    return worst;
  }

  List<Verdict.Flip> flips() {
    return List.copyOf(flips);
  }
}
