package io.moneonnx.profile;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * What profiles of a size take, on made-up numbers: {@code ProfileSizes BLOCKS EXPERTS HIDDEN
 * BATCHES}. Each step starts from a clean heap; the figures are in docs/memory.md.
 */
public final class ProfileSizes {
  private static final double MIB = 1 << 20;

  private final int blocks;
  private final int experts;
  private final int hidden;

  private ProfileSizes(int blocks, int experts, int hidden) {
    this.blocks = blocks;
    this.experts = experts;
    this.hidden = hidden;
  }

  /** Something to measure. */
  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  public static void main(String... args) throws IOException {
    int[] sizes = Arrays.stream(args).mapToInt(Integer::parseInt).toArray();
    Path folder = Files.createTempDirectory(Path.of("").toAbsolutePath(), "profile-sizes");
    try {
      new ProfileSizes(sizes[0], sizes[1], sizes[2]).measure(folder, sizes[3]);
    } finally {
      for (String name : List.of("a", "b", "merged")) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Files.delete(folder);
    }
  }

  private void measure(Path folder, int batches) throws IOException {
    Path a = folder.resolve("a");
    Path b = folder.resolve("b");
    step("add up %d batches and write".formatted(batches), () -> write(batches, 1, a));
    step("the same once more", () -> write(batches, 2, b));
    report("a profile on disk", "%,.0f MiB".formatted(Files.size(a) / MIB));
    step("read", () -> ProfileFile.read(a));
    step(
        "merge two",
        () -> ProfileMerge.write(List.of(a, b), folder.resolve("merged"), notice -> {}));
  }

  private void write(int batches, long seed, Path file) {
    Random random = new Random(seed);
    List<BlockStatistics> all = new ArrayList<>();
    for (int batch = 0; batch < batches; batch++) {
      for (int block = 0; block < blocks; block++) {
        BlockStatistics next = batch(block, random).ofBatch(batch, Optional.empty());
        if (batch == 0) {
          all.add(next);
        } else {
          all.set(block, all.get(block).merge(next));
        }
      }
    }
    ProfileFile.write(new Profile("sha256:00", 0, List.of(run(seed)), all), file);
  }

  private static Profile.Run run(long seed) {
    return new Profile.Run("0", "0", "cpu", seed, 1, List.of(), Map.of());
  }

  private BlockStatistics batch(int block, Random random) {
    BlockHeader header =
        new BlockHeader("/layers.%d/mlp".formatted(block), "sparse-loop", experts, 8, hidden, 0, 1);
    long[] n = new long[experts];
    Arrays.fill(n, 2);
    return MadeStatistics.of(header)
        .with(Statistic.N, Values.counts(n))
        .with(Statistic.G1, some(experts, random))
        .with(Statistic.G2, some(experts, random))
        .with(Statistic.A1, some(experts, random))
        .with(Statistic.A2, some(experts, random))
        .with(Statistic.B1, some(experts, random))
        .with(Statistic.B2, some(experts, random))
        .with(Statistic.MEAN, some(experts * hidden, random))
        .with(Statistic.M2, some(experts * hidden, random))
        .with(Statistic.GMEAN, some(experts * hidden, random))
        .with(Statistic.R2, some(experts, random))
        .with(Statistic.PEAK, some(experts, random))
        .with(Statistic.T, Values.counts(2L * experts))
        .with(Statistic.Y2, 1)
        .block();
  }

  private static Values some(int size, Random random) {
    double base = random.nextDouble();
    double[] values = new double[size];
    Arrays.setAll(values, i -> base + i);
    return Values.of(values);
  }

  private static void step(String what, Step step) throws IOException {
    System.gc();
    List<MemoryPoolMXBean> heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .toList();
    heap.forEach(MemoryPoolMXBean::resetPeakUsage);
    long start = System.nanoTime();
    step.run();
    double seconds = (System.nanoTime() - start) / 1e9;
    long peak = heap.stream().mapToLong(pool -> pool.getPeakUsage().getUsed()).sum();
    report(what, "%.1f s, heap up to %,.0f MiB".formatted(seconds, peak / MIB));
  }

  private static void report(String what, String figures) {
    System.out.printf(Locale.ROOT, "%-30s %s%n", what, figures);
  }
}
