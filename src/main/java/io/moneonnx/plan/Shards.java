package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.Doubles;
import io.moneonnx.profile.ExpertSums;
import io.moneonnx.profile.Longs;
import io.moneonnx.profile.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.IntPredicate;

/**
 * What would be known if a shard of the data had been left out. What shards keep adds up exactly,
 * but for squares around means: those are around each shard's own mean. So everything is taken as
 * the part that the shards left have of all shards, times what is known exactly. That is an
 * approximation, and leaving nothing out is exact.
 */
final class Shards {
  private final Profile profile;

  Shards(Profile profile) {
    this.profile = profile;
  }

  /** The shards that hold data; none where they do not hold all. */
  SortedSet<Integer> numbers() {
    SortedSet<Integer> numbers = new TreeSet<>();
    for (BlockStatistics block : profile.blocks()) {
      if (!isWhole(block)) {
        return new TreeSet<>();
      }
      block
          .slices()
          .shards()
          .forEach(
              (shard, sums) -> {
                if (sums.t() > 0) {
                  numbers.add(shard);
                }
              });
    }
    return numbers;
  }

  private static boolean isWhole(BlockStatistics block) {
    return block.slices().shards().values().stream()
        .reduce(ExpertSums::pooled)
        .filter(all -> all.t() == block.t() && all.n().equals(block.n()))
        .isPresent();
  }

  /** One for each shard: what would be known without it. */
  List<Evidence> leavingOneOut() {
    List<Evidence> evidence = new ArrayList<>();
    for (int left : numbers()) {
      evidence.add(of(shard -> shard != left));
    }
    return evidence;
  }

  /** What would be known of these shards alone. */
  Evidence of(IntPredicate kept) {
    return new Evidence(
        profile.modelBytes(),
        profile.blocks().stream()
            .map(block -> new Evidence.Block(block.header(), sums(block, kept)))
            .toList());
  }

  private static ExpertSums sums(BlockStatistics block, IntPredicate kept) {
    SortedMap<Integer, ExpertSums> shards = block.slices().shards();
    ExpertSums all = shards.values().stream().reduce(ExpertSums::pooled).orElseThrow();
    Optional<ExpertSums> part =
        shards.entrySet().stream()
            .filter(shard -> kept.test(shard.getKey()))
            .map(Map.Entry::getValue)
            .reduce(ExpertSums::pooled);
    ExpertSums nothing = BlockStatistics.empty(block.header()).sums();
    return new Part(block.sums(), part.orElse(nothing), all).sums();
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
