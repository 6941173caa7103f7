package io.moneonnx.plan;

import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.MadeStatistics;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Values;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Made-up profiles. */
public final class Profiles {
  private Profiles() {}

  /** Blocks of which only these counts matter: everything else is 1. */
  static Profile counts(long[]... counts) {
    List<BlockStatistics> blocks =
        IntStream.range(0, counts.length)
            .mapToObj(i -> counts(header("layers." + i, counts[i].length, 1, 1), counts[i]))
            .toList();
    return profile(blocks);
  }

  private static BlockStatistics counts(BlockHeader header, long... n) {
    Values ones = Values.of(LongStream.of(n).mapToDouble(count -> 1).toArray());
    return MadeStatistics.of(header)
        .with(Statistic.N, Values.counts(n))
        .with(Statistic.G1, ones)
        .with(Statistic.G2, ones)
        .with(Statistic.A1, ones)
        .with(Statistic.A2, ones)
        .with(Statistic.B1, ones)
        .with(Statistic.B2, ones)
        .with(Statistic.MEAN, ones)
        .with(Statistic.M2, ones)
        .with(Statistic.GMEAN, ones)
        .with(Statistic.R2, ones)
        .with(Statistic.PEAK, ones)
        .with(Statistic.T, Values.counts(LongStream.of(n).sum()))
        .with(Statistic.Y2, 1)
        .block();
  }

  /** Blocks measured on nine batches of two sources in turn, in eight shards. */
  public static Profile random(long seed, int blocks, int experts, int hidden) {
    Random random = new Random(seed);
    return profile(
        IntStream.range(0, blocks)
            .mapToObj(i -> random(random, header("layers." + i, experts, 2, hidden)))
            .toList());
  }

  private static BlockStatistics random(Random random, BlockHeader header) {
    double[] liked = random.doubles(header.experts()).map(x -> x * x * x).toArray();
    double[] spread = random.doubles(header.experts(), 0.1, 2).toArray();
    double[] mean = random.doubles((long) header.experts() * header.hidden(), -1, 1).toArray();
    return IntStream.range(0, 9)
        .mapToObj(
            batch ->
                batch(random, header, liked, spread, mean)
                    .ofBatch(batch, Optional.of(batch % 2 == 0 ? "code" : "prose")))
        .reduce(BlockStatistics.empty(header), BlockStatistics::merge);
  }

  private static BlockStatistics batch(
      Random random, BlockHeader header, double[] liked, double[] spread, double[] mean) {
    long[] n =
        Arrays.stream(liked).mapToLong(x -> (long) (200 * x * random.nextDouble())).toArray();
    double[] moved = Arrays.stream(mean).map(x -> x + random.nextGaussian() / 10).toArray();
    int hidden = header.hidden();
    return MadeStatistics.of(header)
        .with(Statistic.N, Values.counts(n))
        .with(Statistic.G1, each(n, i -> n[i] * 0.3))
        .with(Statistic.G2, each(n, i -> n[i] * 0.1))
        .with(Statistic.A1, each(n, i -> n[i] * (1 + spread[i])))
        .with(Statistic.A2, each(n, i -> n[i] * (1 + spread[i]) * (1 + spread[i])))
        .with(Statistic.B1, each(n, i -> n[i] * 0.3 * (1 + spread[i])))
        .with(Statistic.B2, each(n, i -> n[i] * 0.1 * (1 + spread[i]) * (1 + spread[i])))
        .with(Statistic.MEAN, Values.of(moved))
        .with(
            Statistic.M2,
            Values.of(
                IntStream.range(0, mean.length)
                    .mapToDouble(i -> Math.max(0, n[i / hidden] - 1) * spread[i / hidden] / hidden)
                    .toArray()))
        .with(Statistic.GMEAN, Values.of(Arrays.stream(moved).map(x -> x * 1.1).toArray()))
        .with(Statistic.R2, each(n, i -> n[i] * 0.1 * spread[i]))
        .with(Statistic.PEAK, each(n, i -> 1 + spread[i]))
        .with(Statistic.T, Values.counts(LongStream.of(n).sum() / header.topK()))
        .with(Statistic.Y2, (double) LongStream.of(n).sum())
        .block();
  }

  private static Values each(long[] n, IntToDoubleFunction value) {
    return Values.of(IntStream.range(0, n.length).mapToDouble(value).toArray());
  }

  private static BlockHeader header(String name, int experts, int topK, int hidden) {
    return new BlockHeader(name, "sparse-loop", experts, topK, hidden, 0, 100_000);
  }

  private static Profile profile(List<BlockStatistics> blocks) {
    long experts = blocks.stream().mapToLong(BlockStatistics::experts).sum();
    return new Profile("sha256:00", 1_000_000 + 100_000 * experts, List.of(), blocks);
  }

  /** With another peak for each expert, block after block. */
  static Profile withPeaks(Profile profile, double... peaks) {
    int[] next = {0};
    return new Profile(
        profile.model(),
        profile.modelBytes(),
        profile.runs(),
        profile.blocks().stream()
            .map(
                block -> {
                  int from = next[0];
                  next[0] += block.experts();
                  return withPeak(block, Values.of(Arrays.copyOfRange(peaks, from, next[0])));
                })
            .toList());
  }

  private static BlockStatistics withPeak(BlockStatistics block, Values peak) {
    return new MadeStatistics(block.header(), block.all().detail(), block.all().values())
        .with(Statistic.PEAK, peak)
        .block(block.slices());
  }

  /** The experts that go, by block. */
  static List<List<Integer>> pruned(Plan plan) {
    return plan.blocks().stream().map(Plan.Block::pruned).toList();
  }
}
