package io.moneonnx.profile;

import io.moneonnx.profile.Statistic.Detail;
import java.util.List;
import java.util.Optional;

/**
 * Everything that calibration measures of one block.
 *
 * @param all of all its tokens, in full
 * @param slices of parts of these tokens
 * @param orders of the neurons of its experts, where they were found
 */
public record BlockStatistics(Statistics all, Slices slices, Optional<NeuronOrders> orders) {
  /** Throws {@link IllegalArgumentException} where there are orders, and no moments. */
  public BlockStatistics {
    if (orders.isPresent() && all.detail() != Detail.MOMENTS) {
      throw new IllegalArgumentException(
          "block '%s': orders of neurons without their moments".formatted(all.header().name()));
    }
  }

  /** Without orders. */
  public BlockStatistics(Statistics all, Slices slices) {
    this(all, slices, Optional.empty());
  }

  /** Nothing counted yet: what every merge can start from. */
  public static BlockStatistics empty(BlockHeader header) {
    return new BlockStatistics(Statistics.nothing(header, Detail.FULL), Slices.NONE);
  }

  /** The same with the orders of its neurons. */
  public BlockStatistics with(NeuronOrders found) {
    return new BlockStatistics(all, slices, Optional.of(found));
  }

  /** The same without moments of inner neurons, and without what else narrowing needs. */
  public BlockStatistics withoutMoments() {
    return new BlockStatistics(all.withoutMoments(), slices);
  }

  public BlockHeader header() {
    return all.header();
  }

  public String name() {
    return header().name();
  }

  public int experts() {
    return header().experts();
  }

  public int hidden() {
    return header().hidden();
  }

  /** The values of a statistic of all tokens. */
  public Values get(Statistic statistic) {
    return all.get(statistic);
  }

  /**
   * An expert's number of a statistic that has one for each, or the block's of one that has one.
   */
  public double get(Statistic statistic, int row) {
    return all.get(statistic, row);
  }

  /** Tokens that reached the block. */
  public long tokens() {
    return get(Statistic.T).count(0);
  }

  /** Routed calls: each token makes as many as it chooses experts. */
  public long calls() {
    return get(Statistic.N).total();
  }

  /**
   * The same as those of a single batch.
   *
   * @param batch its number, from 0
   * @param source the tag of what it was read from, if that has one
   */
  public BlockStatistics ofBatch(long batch, Optional<String> source) {
    return new BlockStatistics(all, Slices.of(all.sums(), batch, source));
  }

  /** Experts that own weights, and that no token chose. */
  public List<Integer> neverChosen() {
    return header().owners().stream().filter(expert -> get(Statistic.N, expert) == 0).toList();
  }

  /** The statistics of both sets of tokens together, without orders of neurons. */
  public BlockStatistics merge(BlockStatistics other) {
    return new BlockStatistics(all.merge(other.all), slices.merge(other.slices));
  }
}
