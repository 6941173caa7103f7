package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import io.moneonnx.profile.Statistics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What narrow experts are predicted to keep of what they put out, by energy, for all data and for
 * data of one tag. Distortions are known of all data: a tag's part of an expert's is that of its
 * calls.
 *
 * <pre>{@code
 * kept = 1 - sum s d(k) n_tag / n  /  sum s d(0) n_tag / n
 * }</pre>
 *
 * <p>{@code s} is the block's sensitivity of {@link Weighting}, {@code d(k)} the distortion of an
 * expert of {@code k} neurons, {@code n} the tokens that chose it.
 */
public final class KeptEnergy {
  private final List<BlockStatistics> blocks;
  private final Novice novice;

  /**
   * Of all blocks that have orders of neurons.
   *
   * @param novice what stands in for an expert without neurons
   */
  public KeptEnergy(Profile profile, Novice novice) {
    this.blocks = profile.blocks().stream().filter(block -> block.orders().isPresent()).toList();
    this.novice = novice;
  }

  /** Of data that have some. */
  public SortedSet<String> tags() {
    SortedSet<String> tags = new TreeSet<>();
    blocks.forEach(block -> tags.addAll(block.slices().sources().keySet()));
    return tags;
  }

  /** What a plan leaves, 0 to 1, for data of each tag. */
  public SortedMap<String, Double> byTag(List<Plan.Block> plan) {
    SortedMap<String, Double> kept = new TreeMap<>();
    tags().forEach(tag -> kept.put(tag, of(Optional.of(tag), plan)));
    return kept;
  }

  /** What a plan leaves, 0 to 1, for data of this tag, or for all data. */
  public double of(Optional<String> tag, List<Plan.Block> plan) {
    Map<String, Plan.Block> planned =
        plan.stream().collect(Collectors.toMap(Plan.Block::name, Function.identity()));
    double lost = 0;
    double all = 0;
    for (BlockStatistics block : blocks) {
      NeuronOrders orders = block.orders().orElseThrow();
      List<Integer> widths = planned.get(block.name()).widths(block.header().inner());
      double sensitivity = 1 / (energy(block) * block.tokens());
      for (int expert = 0; expert < block.experts(); expert++) {
        int width = widths.get(expert);
        double part = sensitivity * part(block, expert, tag);
        lost +=
            part * (width == 0 ? novice.residual(block, expert) : orders.distortion(expert, width));
        all += part * orders.distortion(expert, 0);
      }
    }
    return all > 0 ? 1 - lost / all : 1;
  }

  /** {@code E2} of {@link Weighting#of}, 1 where it is not known. */
  static double energy(BlockStatistics block) {
    double energy = block.get(Statistic.H2, 0) / Math.max(1, block.tokens());
    return energy > 0 ? energy : 1;
  }

  /** A tag's part of an expert's calls. */
  private static double part(BlockStatistics block, int expert, Optional<String> tag) {
    long calls = block.get(Statistic.N).count(expert);
    return tag.isEmpty() ? 1 : calls == 0 ? 0 : ofTag(block, expert, tag.get()) / (double) calls;
  }

  private static long ofTag(BlockStatistics block, int expert, String tag) {
    Statistics sums = block.slices().sources().get(tag);
    return sums == null ? 0 : sums.get(Statistic.N).count(expert);
  }

  /** How much more of a tag's calls than of all calls an expert gets; 1 is as much. */
  static double use(BlockStatistics block, int expert, String tag) {
    Statistics sums = block.slices().sources().get(tag);
    long calls = sums == null ? 0 : sums.get(Statistic.N).total();
    return calls == 0 ? 0 : part(block, expert, Optional.of(tag)) * block.calls() / (double) calls;
  }
}
