package io.moneonnx.bench;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.ProfileFile;
import io.moneonnx.profile.Statistic;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * How far two profiles of one model on the same data are apart: {@code ProfileDistance A B}. Prints
 * the part of the routed calls that went elsewhere, and the largest difference of means and of
 * second moments over the largest of them, block by block.
 */
final class ProfileDistance {
  private ProfileDistance() {}

  public static void main(String... args) {
    List<BlockStatistics> a = ProfileFile.read(Path.of(args[0])).blocks();
    Profile b = ProfileFile.read(Path.of(args[1]));
    double calls = 0;
    double means = 0;
    double moments = 0;
    for (BlockStatistics block : a) {
      BlockStatistics other = b.block(block.name()).orElseThrow();
      int experts = block.experts();
      int cells = experts * block.hidden();
      double all =
          IntStream.range(0, experts).mapToDouble(e -> block.get(Statistic.N).count(e)).sum();
      double moved =
          IntStream.range(0, experts)
              .mapToDouble(
                  e -> Math.abs(block.get(Statistic.N).count(e) - other.get(Statistic.N).count(e)))
              .sum();
      calls = Math.max(calls, moved / 2 / all);
      means =
          Math.max(
              means,
              distance(cells, block.get(Statistic.MEAN)::get, other.get(Statistic.MEAN)::get));
      moments =
          Math.max(
              moments, distance(cells, block.get(Statistic.M2)::get, other.get(Statistic.M2)::get));
    }
    System.out.printf(Locale.ROOT, "calls %.1e means %.1e moments %.1e%n", calls, means, moments);
  }

  private static double distance(int size, IntToDoubleFunction a, IntToDoubleFunction b) {
    double largest =
        IntStream.range(0, size).mapToDouble(i -> Math.abs(a.applyAsDouble(i))).max().orElse(0);
    double apart =
        IntStream.range(0, size)
            .mapToDouble(i -> Math.abs(a.applyAsDouble(i) - b.applyAsDouble(i)))
            .max()
            .orElse(0);
    return largest == 0 ? apart : apart / largest;
  }
}
