package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.BlockHeader;
import io.moneonnx.profile.BlockStatistics;
import io.moneonnx.profile.NeuronOrders;
import io.moneonnx.profile.NeuronOrders.Widths;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The atoms that stand for experts of a block whose weights are stacked: slices of one width, as
 * many of each expert as it is wide.
 *
 * @param width neurons of one
 * @param count of all experts
 * @param most of an expert
 * @param staying experts that have some
 */
public record PlannedAtoms(int width, int count, int most, int staying) {
  /** The rewriter makes no more of an expert. */
  private static final int MOST = 16;

  /** An expert has so many by default. */
  private static final int USUAL = 8;

  /** Numbers of atoms by expert, whether they are there, and their experts. */
  private static final long TABLES = 4L * Long.BYTES;

  /** Empty where the experts that stay have one width, or cannot have several. */
  public static Optional<PlannedAtoms> of(Plan.Block planned, BlockStatistics block) {
    List<Integer> widths =
        planned.widths(block.header().inner()).stream().filter(width -> width > 0).toList();
    boolean isSplit = planned.narrowed().isPresent() && widths.stream().distinct().count() > 1;
    return isSplit && block.orders().map(NeuronOrders::widths).equals(Optional.of(Widths.ATOMS))
        ? Optional.of(of(widths))
        : Optional.empty();
  }

  private static PlannedAtoms of(List<Integer> widths) {
    int width =
        widths.stream()
            .map(BigInteger::valueOf)
            .reduce(BigInteger.ZERO, BigInteger::gcd)
            .intValueExact();
    int neurons = widths.stream().mapToInt(Integer::intValue).sum();
    int widest = widths.stream().mapToInt(Integer::intValue).max().orElseThrow();
    return new PlannedAtoms(width, neurons / width, widest / width, widths.size());
  }

  /** Of whole experts of a block. */
  static PlannedAtoms of(BlockHeader block, int width) {
    int most = block.inner() / width;
    return new PlannedAtoms(width, block.experts() * most, most, block.experts());
  }

  /**
   * Neurons of an atom of experts with so many.
   *
   * @param wanted by default about an eighth of them, a divisor
   */
  static int width(OptionalInt wanted, int inner) {
    int width =
        wanted.orElseGet(
            () -> {
              int least = (inner + USUAL - 1) / USUAL;
              while (inner % least != 0) {
                least++;
              }
              return least;
            });
    if (inner % width != 0 || inner / width > MOST) {
      throw new BadInputException(
          "atom-width %d: expected a divisor of %d, the neurons of an expert, that makes at most %d atoms of it"
              .formatted(width, inner, MOST));
    }
    return width;
  }

  /** What they have beside neurons, and experts do not: tables, and a bias each. */
  long bytes(BlockHeader block, long neuronBytes) {
    long bias = Math.max(0, block.expertBytes() - neuronBytes * block.inner());
    return (count - staying) * bias + TABLES * ((long) block.experts() * most + count);
  }
}
