package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import io.moneonnx.profile.ExpertSums;
import io.moneonnx.profile.Longs;
import io.moneonnx.profile.Profile;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * What would be known if a shard of the data had been left out. What shards keep adds up exactly,
 * but for squares around means: those are around each shard's own mean. So everything is taken as
 * the part that the shards left have of all shards, times what is known exactly. That is an
 * approximation, and leaving nothing out is exact.
 */
final class Shards {
  private final long modelBytes;
  private final List<Block> blocks;

  Shards(Profile profile, Evidence exact) {
    this.modelBytes = profile.modelBytes();
    this.blocks =
        IntStream.range(0, profile.blocks().size())
            .mapToObj(i -> Block.of(profile.blocks().get(i), exact.blocks().get(i)))
            .toList();
  }

  /** One block: what is known exactly, and what each shard and all together say. */
  private record Block(
      Evidence.Block exact, SortedMap<Integer, ExpertSums> shards, ExpertSums all) {
    static Block of(BlockStatistics block, Evidence.Block exact) {
      SortedMap<Integer, ExpertSums> shards = block.slices().shards();
      return new Block(exact, shards, pooled(shards, block.experts(), shard -> true));
    }

    private static ExpertSums pooled(
        SortedMap<Integer, ExpertSums> shards, int experts, IntPredicate kept) {
      return shards.entrySet().stream()
          .filter(shard -> kept.test(shard.getKey()))
          .map(Map.Entry::getValue)
          .reduce(ExpertSums::pooled)
          .orElseGet(() -> ExpertSums.nothing(experts));
    }

    boolean isWhole() {
      return all.t() == exact.sums().t() && all.n().equals(exact.sums().n());
    }

    Evidence.Block of(IntPredicate kept) {
      ExpertSums part = pooled(shards, exact.experts(), kept);
      return new Evidence.Block(exact.header(), new Part(exact.sums(), part, all).sums());
    }
  }

  /** The shards that hold data; none where they do not hold all. */
  SortedSet<Integer> numbers() {
    SortedSet<Integer> numbers = new TreeSet<>();
    if (blocks.stream().allMatch(Block::isWhole)) {
      for (Block block : blocks) {
        block.shards.entrySet().stream()
            .filter(shard -> shard.getValue().t() > 0)
            .forEach(shard -> numbers.add(shard.getKey()));
      }
    }
    return numbers;
  }

  /** One for each shard: what would be known without it. */
  List<Evidence> leavingOneOut() {
    return numbers().stream().map(left -> of(shard -> shard != left)).toList();
  }

  /** What would be known of these shards alone. */
  Evidence of(IntPredicate kept) {
    return new Evidence(modelBytes, blocks.stream().map(block -> block.of(kept)).toList());
  }

  /** What is known exactly of all data, and what shards say of a part and of all. */
  private record Part(ExpertSums exact, ExpertSums part, ExpertSums all) {
    ExpertSums sums() {
      return new ExpertSums(
          part.t(),
          part.n(),
          scaled(ExpertSums::g1),
          scaled(ExpertSums::g2),
          scaled(ExpertSums::a1),
          scaled(ExpertSums::a2),
          scaled(ExpertSums::b1),
          scaled(ExpertSums::b2),
          scaled(ExpertSums::m2),
          scaled(ExpertSums::r2),
          part.peak(),
          all.y2() > 0 ? exact.y2() * (part.y2() / all.y2()) : part.y2());
    }

    private Doubles scaled(Function<ExpertSums, Doubles> sums) {
      Doubles whole = sums.apply(exact);
      double[] values = new double[whole.size()];
      for (int expert = 0; expert < values.length; expert++) {
        values[expert] = whole.get(expert) * share(sums.apply(part), sums.apply(all), expert);
      }
      return Doubles.of(values);
    }

    /** By counts where shards say nothing: a shard with one token of an expert has no spread. */
    private double share(Doubles some, Doubles whole, int expert) {
      if (whole.get(expert) > 0) {
        return some.get(expert) / whole.get(expert);
      }
      Longs calls = all.n();
      return calls.get(expert) == 0 ? 1 : (double) part.n().get(expert) / calls.get(expert);
    }
  }
}
