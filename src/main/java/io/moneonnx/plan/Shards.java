package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Merge;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistic.Detail;
import io.moneonnx.profile.Statistic.Shape;
import io.moneonnx.profile.Statistics;
import io.moneonnx.profile.Values;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What would be known if a shard of the data had been left out. What shards keep adds up exactly,
 * but for squares around means: those are around each shard's own mean. So everything is taken as
 * the part that the shards left have of all shards, times what is known exactly. That is an
 * approximation, and leaving nothing out is exact.
 */
final class Shards {
  private final long modelBytes;
  private final List<Block> blocks;

  Shards(Profile profile, Measurements exact) {
    this.modelBytes = profile.modelBytes();
    this.blocks =
        IntStream.range(0, profile.blocks().size())
            .mapToObj(i -> Block.of(profile.blocks().get(i), exact.blocks().get(i)))
            .toList();
  }

  /** One block: what is known exactly, and what each shard and all together say. */
  private record Block(
      Measurements.Block exact, SortedMap<Integer, Statistics> shards, Statistics all) {
    static Block of(BlockStatistics block, Measurements.Block exact) {
      SortedMap<Integer, Statistics> shards = block.slices().shards();
      return new Block(exact, shards, pooled(shards, exact, shard -> true));
    }

    private static Statistics pooled(
        SortedMap<Integer, Statistics> shards, Measurements.Block exact, IntPredicate kept) {
      return shards.entrySet().stream()
          .filter(shard -> kept.test(shard.getKey()))
          .map(Map.Entry::getValue)
          .reduce(nothing(exact), Statistics::merge);
    }

    private static Statistics nothing(Measurements.Block exact) {
      return Statistics.nothing(exact.header(), Detail.SUMS);
    }

    boolean isWhole() {
      return Stream.of(Statistic.T, Statistic.N)
          .allMatch(count -> all.get(count).equals(exact.sums().get(count)));
    }

    Measurements.Block of(IntPredicate kept) {
      return of(pooled(shards, exact, kept));
    }

    private Measurements.Block of(Statistics part) {
      return new Measurements.Block(new Part(exact.sums(), part, all).sums());
    }

    /** What is left without each of these in turn: all before it, and all behind it. */
    List<Measurements.Block> leavingOneOut(SortedSet<Integer> numbers) {
      List<Statistics> parts =
          numbers.stream().map(number -> shards.getOrDefault(number, nothing(exact))).toList();
      Deque<Statistics> before = new ArrayDeque<>(List.of(nothing(exact)));
      parts.forEach(part -> before.push(before.peek().merge(part)));
      Statistics behind = nothing(exact);
      Deque<Measurements.Block> left = new ArrayDeque<>();
      for (int i = parts.size() - 1; i >= 0; i--) {
        before.pop();
        left.push(of(before.peek().merge(behind)));
        behind = parts.get(i).merge(behind);
      }
      return List.copyOf(left);
    }
  }

  /** The shards that hold data; none where they do not hold all. */
  SortedSet<Integer> numbers() {
    SortedSet<Integer> numbers = new TreeSet<>();
    if (blocks.stream().allMatch(Block::isWhole)) {
      for (Block block : blocks) {
        block.shards.entrySet().stream()
            .filter(shard -> shard.getValue().get(Statistic.T, 0) > 0)
            .forEach(shard -> numbers.add(shard.getKey()));
      }
    }
    return numbers;
  }

  /** One for each shard: what would be known without it. */
  List<Measurements> leavingOneOut() {
    SortedSet<Integer> numbers = numbers();
    List<List<Measurements.Block>> left =
        blocks.stream().map(block -> block.leavingOneOut(numbers)).toList();
    return IntStream.range(0, numbers.size())
        .mapToObj(i -> new Measurements(modelBytes, left.stream().map(b -> b.get(i)).toList()))
        .toList();
  }

  /** What would be known of these shards alone. */
  Measurements of(IntPredicate kept) {
    return new Measurements(modelBytes, blocks.stream().map(block -> block.of(kept)).toList());
  }

  /** What is known exactly of all data, and what shards say of a part and of all. */
  private record Part(Statistics exact, Statistics part, Statistics all) {
    Statistics sums() {
      return Statistics.of(exact.header(), Detail.SUMS, this::values);
    }

    /** Counts are exact, and so is the largest of something. */
    private Values values(Statistic statistic) {
      boolean isExact = statistic.type() == Values.Type.COUNT || statistic.merge() == Merge.LARGEST;
      return isExact ? part.get(statistic) : scaled(statistic);
    }

    private Values scaled(Statistic statistic) {
      Values whole = exact.get(statistic);
      return Values.of(
          IntStream.range(0, whole.size())
              .mapToDouble(row -> whole.get(row) * share(statistic, row))
              .toArray());
    }

    /** By counts where shards say nothing: a shard with one token of an expert has no spread. */
    private double share(Statistic statistic, int row) {
      if (all.get(statistic, row) > 0) {
        return part.orZero(statistic, row) / all.get(statistic, row);
      }
      Statistic count = statistic.shape() == Shape.BLOCK ? Statistic.T : Statistic.N;
      double calls = all.get(count, row);
      return calls == 0 ? 1 : part.get(count, row) / calls;
    }
  }
}
