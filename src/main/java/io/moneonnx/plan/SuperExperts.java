package io.moneonnx.plan;

import io.moneonnx.profile.Statistic;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Experts with extreme outputs, on which models lean out of all proportion: {@code peak} above the
 * 99.5th percentile of all experts' and above a tenth of the largest (arXiv 2507.23279, which looks
 * at the layers where massive activations form; here all are looked at).
 */
public record SuperExperts() implements Protection {
  private static final double PERCENTILE = 0.995;
  private static final double PART_OF_LARGEST = 0.1;

  @Override
  public Map<String, Set<Integer>> of(List<Measurements.Block> blocks) {
    double[] peaks = blocks.stream().flatMapToDouble(SuperExperts::peaks).sorted().toArray();
    double largest = peaks.length == 0 ? 0 : peaks[peaks.length - 1];
    double bound = Math.max(percentile(peaks), largest * PART_OF_LARGEST);
    Map<String, Set<Integer>> held = new HashMap<>();
    blocks.forEach(block -> held.put(block.name(), above(bound, block)));
    return held;
  }

  private static DoubleStream peaks(Measurements.Block block) {
    return block.header().owners().stream()
        .mapToDouble(expert -> block.sums().orZero(Statistic.PEAK, expert));
  }

  /** Interpolated between neighbours, as NumPy does by default. */
  private static double percentile(double... sorted) {
    if (sorted.length == 0) {
      return 0;
    }
    double place = PERCENTILE * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  private static Set<Integer> above(double bound, Measurements.Block block) {
    return IntStream.range(0, block.experts())
        .filter(expert -> block.sums().orZero(Statistic.PEAK, expert) > bound)
        .boxed()
        .collect(Collectors.toSet());
  }

  @Override
  public String toString() {
    return "protect-outliers";
  }
}
