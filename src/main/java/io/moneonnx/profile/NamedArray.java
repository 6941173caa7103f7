package io.moneonnx.profile;

import java.util.List;
import java.util.function.IntPredicate;

/** A statistic as exports hold it: under the name that the method gives it, with its shape. */
sealed interface NamedArray {
  String name();

  /** Sizes of its axes, none for a single number. */
  List<Integer> shape();

  default long elements() {
    return shape().stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  /** Whole numbers, all of them defined. */
  record Counts(String name, List<Integer> shape, Longs values) implements NamedArray {}

  /**
   * Numbers, one expert a row.
   *
   * @param defined false for experts of which nothing was counted
   */
  record Numbers(String name, List<Integer> shape, Doubles values, IntPredicate defined)
      implements NamedArray {
    /** The element, NaN where it is not defined. */
    double get(int index) {
      int width = shape.size() == 2 ? shape.get(1) : 1;
      return defined.test(index / width) ? values.get(index) : Double.NaN;
    }
  }

  /** Every statistic of a block but its slices. */
  static List<NamedArray> of(BlockStatistics block) {
    List<Integer> experts = List.of(block.experts());
    List<Integer> matrix = List.of(block.experts(), block.hidden());
    return List.of(
        new Counts("T", List.of(), Longs.of(block.t())),
        new Counts("n", experts, block.n()),
        always("G1", experts, block.g1()),
        always("G2", experts, block.g2()),
        always("A1", experts, block.a1()),
        always("A2", experts, block.a2()),
        always("B1", experts, block.b1()),
        always("B2", experts, block.b2()),
        new Numbers("mean", matrix, block.mean(), block::hasMean),
        new Numbers("M2", matrix, block.m2(), block::hasMean),
        new Numbers("gmean", matrix, block.gmean(), block::hasGatedMean),
        new Numbers("R2", experts, block.r2(), block::hasGatedMean),
        new Numbers("peak", experts, block.peak(), block::hasMean),
        new Counts("C", List.of(block.experts(), block.experts()), block.c()),
        always("Y2", List.of(), Doubles.of(block.y2())));
  }

  /** Every statistic of a part of the data. */
  static List<NamedArray> of(ExpertSums sums) {
    List<Integer> experts = List.of(sums.experts());
    IntPredicate chosen = expert -> sums.n().get(expert) > 0;
    IntPredicate weighed = expert -> sums.g2().get(expert) > 0;
    return List.of(
        new Counts("T", List.of(), Longs.of(sums.t())),
        new Counts("n", experts, sums.n()),
        always("G1", experts, sums.g1()),
        always("G2", experts, sums.g2()),
        always("A1", experts, sums.a1()),
        always("A2", experts, sums.a2()),
        always("B1", experts, sums.b1()),
        always("B2", experts, sums.b2()),
        new Numbers("M2", experts, sums.m2(), chosen),
        new Numbers("R2", experts, sums.r2(), weighed),
        new Numbers("peak", experts, sums.peak(), chosen),
        always("Y2", List.of(), Doubles.of(sums.y2())));
  }

  private static NamedArray always(String name, List<Integer> shape, Doubles values) {
    return new Numbers(name, shape, values, expert -> true);
  }
}
