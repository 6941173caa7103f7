package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.criterion.Expert;
import io.moneonnx.profile.Statistic;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * The experts that lie below all thresholds that are given, whatever they score. Experts that were
 * never chosen lie below each. Of a block that no token reached nothing is known, and none goes.
 *
 * @param frequency share of the block's routed calls
 * @param spread {@code sqrt(V)} relative to the block's mean {@code ||f||}
 */
public record Thresholds(OptionalDouble frequency, OptionalDouble spread) implements Amount {
  public Thresholds {
    require("frequency-below", frequency);
    require("spread-below", spread);
    if (frequency.isEmpty() && spread.isEmpty()) {
      throw new IllegalArgumentException("no threshold");
    }
  }

  private static void require(String name, OptionalDouble value) {
    if (value.isPresent() && !(value.getAsDouble() > 0 && Double.isFinite(value.getAsDouble()))) {
      throw new BadInputException(
          "%s: found %s, expected a number above 0".formatted(name, value.getAsDouble()));
    }
  }

  @Override
  public Selection from(Candidates candidates, Scope scope) {
    Selection selection = new Selection(candidates.blocks().stream().map(this::below).toList());
    if (selection.count() == 0) {
      throw new BadInputException("no expert lies below %s%s".formatted(this, lowest(candidates)));
    }
    return selection;
  }

  /** Nothing can be known of experts that were not measured. */
  @Override
  public void check(Candidates unmeasured, Scope scope) {}

  private List<Integer> below(Candidates.Block block) {
    Block measured = new Block(block);
    List<Integer> below =
        block.order().stream().filter(expert -> measured.isBelow(this, expert)).toList();
    if (below.size() > block.room()) {
      throw new BadInputException(
          "block '%s': %d of its %d experts lie below %s, %d can go: %s"
              .formatted(
                  block.name(), below.size(), block.experts(), this, block.room(), block.reason()));
    }
    return below;
  }

  private String lowest(Candidates candidates) {
    List<Block> blocks = candidates.blocks().stream().map(Block::new).toList();
    Stream<String> known =
        Stream.of(
                frequency.isPresent()
                    ? lowest("share of calls", blocks.stream().flatMapToDouble(Block::shares))
                    : Optional.<String>empty(),
                spread.isPresent()
                    ? lowest("relative spread", blocks.stream().flatMapToDouble(Block::spreads))
                    : Optional.<String>empty())
            .flatMap(Optional::stream);
    return known.collect(Collectors.joining());
  }

  private static Optional<String> lowest(String what, DoubleStream values) {
    OptionalDouble least = values.min();
    return least.isPresent()
        ? Optional.of("; the lowest %s is %.3g".formatted(what, least.getAsDouble()))
        : Optional.empty();
  }

  /** What a block's experts are measured by. */
  private record Block(Candidates.Block candidates, List<Expert> experts, double n, double norm) {
    Block(Candidates.Block candidates) {
      this(
          candidates,
          Expert.of(candidates.evidence().sums()),
          (double) candidates.evidence().sums().get(Statistic.N).total(),
          candidates.evidence().sums().get(Statistic.A1).stream().sum());
    }

    boolean isBelow(Thresholds thresholds, int expert) {
      if (n == 0) {
        return false;
      }
      return experts.get(expert).n() == 0
          || (share(expert) < thresholds.frequency.orElse(Double.POSITIVE_INFINITY)
              && spread(expert) < thresholds.spread.orElse(Double.POSITIVE_INFINITY));
    }

    private double share(int expert) {
      return experts.get(expert).n() / n;
    }

    /**
     * {@code sqrt(V)} over the mean norm of all outputs of the block; 0 where all of them are 0.
     */
    private double spread(int expert) {
      return norm == 0 ? 0 : experts.get(expert).spread() * n / norm;
    }

    DoubleStream shares() {
      return n == 0 ? DoubleStream.empty() : open().mapToDouble(this::share);
    }

    DoubleStream spreads() {
      return n == 0 ? DoubleStream.empty() : open().mapToDouble(this::spread);
    }

    private Stream<Integer> open() {
      return candidates.order().stream();
    }
  }

  @Override
  public String toString() {
    return Stream.of(
            text("frequency-below", frequency).stream(), text("spread-below", spread).stream())
        .flatMap(part -> part)
        .collect(Collectors.joining(" and "));
  }

  private static Optional<String> text(String name, OptionalDouble value) {
    return value.isPresent() ? Optional.of(name + " " + value.getAsDouble()) : Optional.empty();
  }
}
