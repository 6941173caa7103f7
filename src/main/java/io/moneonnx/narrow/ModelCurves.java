package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.PriorityQueue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The curves of all experts, and the widths that a byte budget buys.
 *
 * <p>All start at their cheapest point. Steps along the convex hulls are then taken while they fit,
 * those that save the most damage per byte first, ties by the lower block, expert and cost. A step
 * that does not fit closes its expert; the others go on.
 *
 * @param blocks the curves of each block's experts
 */
public record ModelCurves(List<List<DamageCurve>> blocks) {
  public ModelCurves {
    blocks = blocks.stream().map(List::copyOf).toList();
  }

  /**
   * The width of every expert.
   *
   * @param blocks for each block the points of its experts
   */
  public record Widths(List<List<DamageCurve.Point>> blocks) {
    public Widths {
      blocks = blocks.stream().map(List::copyOf).toList();
    }

    /** Of all experts. */
    public long bytes() {
      return blocks.stream().flatMap(List::stream).mapToLong(DamageCurve.Point::bytes).sum();
    }

    /** Predicted, of all experts. */
    public double damage() {
      return blocks.stream().flatMap(List::stream).mapToDouble(DamageCurve.Point::damage).sum();
    }
  }

  /** Bytes of all experts at full width. */
  public long bytes() {
    return bytes(experts());
  }

  /** Bytes of all experts at their least width: no budget can be lower. */
  public long leastBytes() {
    return leastBytes(experts());
  }

  /** Bytes of a block's experts at their least width. */
  public long leastBytes(int block) {
    return leastBytes(blocks.get(block));
  }

  /** Each block as one expert: all its experts get the same width. */
  public ModelCurves uniform() {
    return new ModelCurves(
        blocks.stream().map(experts -> List.of(DamageCurve.sum(experts))).toList());
  }

  /**
   * Spends a budget over the whole model.
   *
   * @param budget bytes that all experts together may have
   * @throws BadInputException if the least widths need more; says how much
   */
  public Widths model(long budget) {
    List<DamageCurve.Point> points = spend(experts(), budget, "the model");
    List<List<DamageCurve.Point>> found = new ArrayList<>();
    int next = 0;
    for (List<DamageCurve> experts : blocks) {
      found.add(points.subList(next, next + experts.size()));
      next += experts.size();
    }
    return new Widths(found);
  }

  /**
   * Splits a budget over the blocks in proportion to their bytes, and spends each part within its
   * block.
   *
   * @param budget bytes that all experts together may have
   * @throws BadInputException if the least widths of a block need more than its part; says how much
   */
  public Widths layer(long budget) {
    List<List<DamageCurve.Point>> found = new ArrayList<>();
    for (int block = 0; block < blocks.size(); block++) {
      found.add(spend(blocks.get(block), part(budget, block), "block " + block));
    }
    return new Widths(found);
  }

  /** A block's part of a budget, in proportion to its bytes. */
  public long part(long budget, int block) {
    return BigInteger.valueOf(budget)
        .multiply(BigInteger.valueOf(bytes(blocks.get(block))))
        .divide(BigInteger.valueOf(Math.max(1, bytes())))
        .longValueExact();
  }

  /** The first block whose least widths need more than its part of a budget. */
  public OptionalInt lacking(long budget) {
    return IntStream.range(0, blocks.size())
        .filter(block -> leastBytes(block) > part(budget, block))
        .findFirst();
  }

  /**
   * Damage of the whole model by the percentage of bytes that is removed: 10, 20, .. 80, as far as
   * the least widths allow.
   */
  public SortedMap<Integer, Double> forecast() {
    SortedMap<Integer, Double> damage = new TreeMap<>();
    for (int percent = 10; percent <= 80; percent += 10) {
      long budget = bytes() * (100 - percent) / 100;
      if (budget >= leastBytes()) {
        damage.put(percent, model(budget).damage());
      }
    }
    return damage;
  }

  private List<DamageCurve> experts() {
    return blocks.stream().flatMap(List::stream).toList();
  }

  private static long bytes(List<DamageCurve> experts) {
    return experts.stream().mapToLong(curve -> curve.whole().bytes()).sum();
  }

  private static long leastBytes(List<DamageCurve> experts) {
    return experts.stream().mapToLong(curve -> curve.least().bytes()).sum();
  }

  private static List<DamageCurve.Point> spend(
      List<DamageCurve> experts, long budget, String where) {
    long left = budget - leastBytes(experts);
    if (left < 0) {
      throw new BadInputException(
          "the experts of %s take %,d bytes at the least widths that are allowed, expected at most %,d"
              .formatted(where, leastBytes(experts), budget));
    }
    List<DamageCurve.Point> points =
        new ArrayList<>(experts.stream().map(DamageCurve::least).toList());
    PriorityQueue<Step> steps = new PriorityQueue<>(Step.ORDER);
    for (int expert = 0; expert < experts.size(); expert++) {
      new Step(expert, experts.get(expert).hull(), 1).offer(steps);
    }
    while (!steps.isEmpty()) {
      Step step = steps.remove();
      if (step.bytes() <= left) {
        left -= step.bytes();
        points.set(step.expert, step.to());
        new Step(step.expert, step.hull, step.index + 1).offer(steps);
      }
    }
    return points;
  }

  /** An expert's way to point {@code index} of its hull from the one before. */
  private record Step(int expert, List<DamageCurve.Point> hull, int index) {
    static final Comparator<Step> ORDER =
        Comparator.comparingDouble(Step::saving).reversed().thenComparingInt(Step::expert);

    DamageCurve.Point from() {
      return hull.get(index - 1);
    }

    DamageCurve.Point to() {
      return hull.get(index);
    }

    double saving() {
      return from().saving(to());
    }

    long bytes() {
      return to().bytes() - from().bytes();
    }

    void offer(PriorityQueue<Step> steps) {
      if (index < hull.size()) {
        steps.add(this);
      }
    }
  }
}
