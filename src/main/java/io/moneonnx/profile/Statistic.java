package io.moneonnx.profile;

import static io.moneonnx.profile.Values.Type.COUNT;
import static io.moneonnx.profile.Values.Type.NUMBER;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The table of everything that calibration measures of a block: one row a statistic. Observation,
 * merging, profiles, checkpoints and exports follow from it.
 *
 * <p>Sums run over the tokens that chose an expert; {@code f} is the expert's output, {@code a}
 * what its down projection reads, {@code g} the routing weight that multiplies the output, {@code
 * y} the block's routed output, {@code h} the residual stream after the block.
 */
public enum Statistic {
  T("T", COUNT, Shape.BLOCK, Merge.SUM, "tokens that reached the block"),
  N("n", COUNT, Shape.EXPERT, Merge.SUM, "tokens that chose the expert"),
  G1("G1", NUMBER, Shape.EXPERT, Merge.SUM, "sum g"),
  G2("G2", NUMBER, Shape.EXPERT, Merge.SUM, "sum g^2"),
  A1("A1", NUMBER, Shape.EXPERT, Merge.SUM, "sum ||f||"),
  A2("A2", NUMBER, Shape.EXPERT, Merge.SUM, "sum ||f||^2"),
  B1("B1", NUMBER, Shape.EXPERT, Merge.SUM, "sum g ||f||"),
  B2("B2", NUMBER, Shape.EXPERT, Merge.SUM, "sum g^2 ||f||^2"),
  MEAN("mean", NUMBER, Shape.COORDINATE, Merge.MEAN, "sum f / n", N),
  M2("M2", NUMBER, Shape.COORDINATE, Merge.SQUARES, "sum (f - mean)^2", N, MEAN),
  GMEAN("gmean", NUMBER, Shape.COORDINATE, Merge.MEAN, "sum g^2 f / G2", G2),
  R2("R2", NUMBER, Shape.EXPERT, Merge.SQUARES, "sum g^2 ||f - gmean||^2", G2, GMEAN),
  PEAK("peak", NUMBER, Shape.EXPERT, Merge.LARGEST, "max |f|, over coordinates too", N),
  C("C", COUNT, Shape.PAIR, Merge.SUM, "tokens that chose both experts; C[i,i] = n[i]"),
  Y2("Y2", NUMBER, Shape.BLOCK, Merge.SUM, "sum ||y||^2"),
  H2("H2", NUMBER, Shape.BLOCK, Merge.SUM, "sum ||h||^2; 0 where the stream is not found"),
  S("s", NUMBER, Shape.NEURON, Merge.SUM, "sum g^2 a"),
  M("M", NUMBER, Shape.NEURON_PAIR, Merge.SUM, "sum g^2 a a^T, its lower triangle row by row");

  /** What there is one element of, row-major; each expert has a row. */
  public enum Shape {
    /** {@code []}. */
    BLOCK,
    /** {@code [E]}. */
    EXPERT,
    /** {@code [E, H]}. */
    COORDINATE,
    /** {@code [E, E]}. */
    PAIR,
    /** {@code [E, I]}. */
    NEURON,
    /** {@code [E, I (I + 1) / 2]}. */
    NEURON_PAIR;

    /** Sizes of its axes, none for a single element. */
    public List<Integer> sizes(BlockHeader block) {
      return switch (this) {
        case BLOCK -> List.of();
        case EXPERT -> List.of(block.experts());
        case COORDINATE -> List.of(block.experts(), block.hidden());
        case PAIR -> List.of(block.experts(), block.experts());
        case NEURON -> List.of(block.experts(), block.inner());
        case NEURON_PAIR -> List.of(block.experts(), pairs(block.inner()));
      };
    }

    private static int pairs(int inner) {
      return Math.toIntExact(inner * (inner + 1L) / 2);
    }

    /** How many elements there are. */
    public long elements(BlockHeader block) {
      return BlockOutline.elements(sizes(block));
    }

    /** Elements of one row. */
    int width(BlockHeader block) {
      List<Integer> sizes = sizes(block);
      return sizes.size() == 2 ? sizes.get(1) : 1;
    }
  }

  /** How much is kept: all of it, or one number an expert. */
  public enum Detail {
    /** Every statistic of all tokens. */
    MOMENTS,
    /** Every statistic of all tokens, but those that only narrowing experts needs. */
    FULL,
    /**
     * One number an expert, of all tokens or of some: neither means nor pairs, and squares around a
     * mean are summed over the coordinates. They merge by sum: they stay around the mean of each
     * part of the tokens, so that what the means of the parts differ by is not in them.
     */
    SUMS;

    /** What is kept, in the order of the table. */
    public List<Statistic> statistics() {
      return Arrays.stream(Statistic.values()).filter(this::has).toList();
    }

    private boolean has(Statistic statistic) {
      return switch (this) {
        case MOMENTS -> true;
        case FULL -> statistic.compareTo(H2) < 0;
        case SUMS ->
            FULL.has(statistic)
                && (statistic.merge == Merge.SQUARES
                    || statistic.shape == Shape.BLOCK
                    || statistic.shape == Shape.EXPERT);
      };
    }

    /** The shape in which a statistic is kept. */
    public Shape shape(Statistic statistic) {
      return this == SUMS && statistic.shape == Shape.COORDINATE ? Shape.EXPERT : statistic.shape;
    }

    Merge merge(Statistic statistic) {
      return this == SUMS && statistic.merge == Merge.SQUARES ? Merge.SUM : statistic.merge;
    }
  }

  private final String symbol;
  private final Values.Type type;
  private final Shape shape;
  private final Merge merge;
  private final String formula;
  private final Optional<Statistic> weight;
  private final Optional<Statistic> around;

  /**
   * A row of the table.
   *
   * @param related the weight and the mean, of a statistic that has them
   */
  Statistic(
      String symbol,
      Values.Type type,
      Shape shape,
      Merge merge,
      String formula,
      Statistic... related) {
    this.symbol = symbol;
    this.type = type;
    this.shape = shape;
    this.merge = merge;
    this.formula = formula;
    this.weight = Stream.of(related).findFirst();
    this.around = Stream.of(related).skip(1).findFirst();
  }

  /** Its name in files and formulas. */
  public String symbol() {
    return symbol;
  }

  public Values.Type type() {
    return type;
  }

  public Shape shape() {
    return shape;
  }

  /** How the values of two sets of tokens become those of both. */
  public Merge merge() {
    return merge;
  }

  /** What it is, as one line of mathematics. */
  public String formula() {
    return formula;
  }

  /**
   * The largest that one of its numbers can be: novices are means, and float32. Infinity and NaN
   * are never measured: calibration refuses outputs that are not finite, or leaves their tokens
   * out, and NaN only says that a row is not defined.
   */
  double largest() {
    return merge == Merge.MEAN ? Float.MAX_VALUE : Double.MAX_VALUE;
  }

  /** What it is weighted by: a row is defined where this is above 0; empty if it always is. */
  public Optional<Statistic> weight() {
    return weight;
  }

  /** The mean that its squares are around, if they are around one. */
  Optional<Statistic> around() {
    return around;
  }
}
