package io.moneonnx.plan;

import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.Profile;
import io.moneonnx.profile.Statistic;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a plan will cost, as far as the profile tells.
 *
 * @param bytes of the written model, at most
 * @param blocks in the profile's order
 */
public record Forecast(long bytes, List<Block> blocks) {
  public Forecast {
    blocks = List.copyOf(blocks);
  }

  /**
   * One block's.
   *
   * @param calls routed calls that were measured: each token makes as many as it chooses experts
   * @param met those that meet a pruned expert
   * @param error of the block's routed output, relative: the square root of the novices' {@link
   *     Novice#residual}s and narrow experts' distortions over {@code Y2}; absent for a cut router,
   *     which chooses other experts instead, where nothing was measured, and for narrow experts of
   *     which the profile holds no order
   */
  public record Block(String name, long calls, long met, OptionalDouble error) {
    /** The part of the calls that meet a pruned expert; 0 where nothing was measured. */
    public double share() {
      return calls == 0 ? 0 : (double) met / calls;
    }
  }

  /** Of a plan with these novices. */
  public static Forecast of(Profile profile, Plan plan, Novice novice) {
    return new Forecast(
        FileSize.atMost(
            profile.modelBytes(),
            profile.blocks().stream().map(block -> size(block, plan, novice)).toList()),
        profile.blocks().stream().map(block -> block(block, plan, novice)).toList());
  }

  private static FileSize.Block size(BlockStatistics block, Plan plan, Novice novice) {
    List<Plan.Narrowed> narrowed = plan.narrowed(block.name());
    long neuron = block.orders().map(NeuronOrders::neuronBytes).orElse(0L);
    long lost =
        narrowed.stream().mapToLong(expert -> block.header().inner() - expert.width()).sum();
    return new FileSize.Block(
        block.header(),
        plan.pruned(block.name()).size(),
        novice.bytes(block.hidden()),
        narrowed.size(),
        lost * neuron,
        plan.block(block.name())
            .flatMap(planned -> PlannedAtoms.of(planned, block))
            .map(atoms -> atoms.bytes(block.header(), neuron))
            .orElse(0L));
  }

  private static Block block(BlockStatistics block, Plan plan, Novice novice) {
    List<Integer> pruned = plan.pruned(block.name());
    return new Block(
        block.name(),
        block.calls(),
        pruned.stream().mapToLong(block.get(Statistic.N)::count).sum(),
        plan.router() == Plan.Router.CUT
                || block.get(Statistic.Y2, 0) == 0
                || (block.orders().isEmpty() && !plan.narrowed(block.name()).isEmpty())
            ? OptionalDouble.empty()
            : OptionalDouble.of(error(block, plan, novice)));
  }

  private static double error(BlockStatistics block, Plan plan, Novice novice) {
    double novices =
        plan.pruned(block.name()).stream()
            .mapToDouble(expert -> novice.residual(block, expert))
            .sum();
    double narrow =
        block.orders().stream()
            .flatMapToDouble(
                orders ->
                    plan.narrowed(block.name()).stream()
                        .mapToDouble(kept -> orders.distortion(kept.expert(), kept.width())))
            .sum();
    return Math.sqrt((novices + narrow) / block.get(Statistic.Y2, 0));
  }

  /** The part of all calls that meet a pruned expert; 0 where nothing was measured. */
  public double share() {
    long calls = blocks.stream().mapToLong(Block::calls).sum();
    return calls == 0 ? 0 : (double) blocks.stream().mapToLong(Block::met).sum() / calls;
  }

  /** The block with the largest error. */
  public Optional<Block> worst() {
    return blocks.stream()
        .filter(block -> block.error.isPresent())
        .max((one, other) -> Double.compare(one.error.orElseThrow(), other.error.orElseThrow()));
  }
}
