package io.moneonnx.narrow;

import io.moneonnx.graph.BadInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * An expert's bytes and predicted damage by its width.
 *
 * @param points one for each width that is allowed, widths and bytes ascending, damage never rising
 */
public record DamageCurve(List<Point> points) {
  /** A tile width that kernels are fast at. */
  private static final int TILE = 16;

  /** Fewer leave little to choose. */
  private static final int STEPS = 4;

  /**
   * One width.
   *
   * @param width neurons kept
   * @param bytes of their weights
   * @param damage predicted, in any unit that all curves of a budget share
   */
  public record Point(int width, long bytes, double damage) {
    /** Damage saved per byte on the way to a wider point. */
    double saving(Point wider) {
      return (damage - wider.damage) / (wider.bytes - bytes);
    }
  }

  public DamageCurve {
    points = List.copyOf(points);
    if (points.isEmpty()) {
      throw new IllegalArgumentException("a curve without points");
    }
    for (int i = 1; i < points.size(); i++) {
      Point before = points.get(i - 1);
      Point point = points.get(i);
      if (!(before.width < point.width
          && before.bytes < point.bytes
          && before.damage >= point.damage)) {
        throw new IllegalArgumentException(
            "expected wider, larger and no worse than %s, found %s".formatted(before, point));
      }
    }
  }

  /**
   * An expert's curve at widths {@code 0, q, 2q, .., I}.
   *
   * @param step {@code q}
   * @param neuronBytes bytes of one neuron: its rows of gate and up, its column of down
   * @param weight of its distortion, as the plan weighs it
   * @throws BadInputException if {@code q} does not divide {@code I}
   */
  public static DamageCurve of(RemovalOrder order, int step, long neuronBytes, double weight) {
    if (step < 1 || order.inner() % step != 0) {
      throw new BadInputException(
          "step %d: expected a divisor of %d, the neurons of an expert"
              .formatted(step, order.inner()));
    }
    List<Point> points = new ArrayList<>();
    for (int width = 0; width <= order.inner(); width += step) {
      points.add(new Point(width, width * neuronBytes, weight * order.distortion(width)));
    }
    return new DamageCurve(points);
  }

  /**
   * The step by default: 16, or the largest power of 2 that divides the full width and leaves four
   * steps to it.
   */
  public static int step(int inner) {
    int quarter = Math.max(1, Integer.highestOneBit(inner / STEPS));
    return Math.min(TILE, Math.min(quarter, Integer.lowestOneBit(inner)));
  }

  /** The curve of experts that share one width, at the widths that all of them allow. */
  public static DamageCurve sum(List<DamageCurve> experts) {
    SortedMap<Integer, List<Point>> widths =
        experts.stream()
            .flatMap(expert -> expert.points.stream())
            .collect(Collectors.groupingBy(Point::width, TreeMap::new, Collectors.toList()));
    return new DamageCurve(
        widths.values().stream()
            .filter(points -> points.size() == experts.size())
            .map(DamageCurve::total)
            .toList());
  }

  private static Point total(List<Point> points) {
    return new Point(
        points.get(0).width,
        points.stream().mapToLong(Point::bytes).sum(),
        points.stream().mapToDouble(Point::damage).sum());
  }

  /** Without widths below this one; at least the full width is left. */
  public DamageCurve atLeast(int width) {
    int full = whole().width;
    return new DamageCurve(
        points.stream().filter(point -> point.width >= Math.min(width, full)).toList());
  }

  /** The cheapest point. */
  public Point least() {
    return points.get(0);
  }

  /** The full width. */
  public Point whole() {
    return points.get(points.size() - 1);
  }

  /**
   * The points on the lower convex hull: on the way from each to the next, the damage that is saved
   * per byte never rises.
   */
  List<Point> hull() {
    List<Point> hull = new ArrayList<>();
    for (Point point : points) {
      while (hull.size() > 1
          && isAbove(hull.get(hull.size() - 2), hull.get(hull.size() - 1), point)) {
        hull.remove(hull.size() - 1);
      }
      hull.add(point);
    }
    return hull;
  }

  private static boolean isAbove(Point before, Point point, Point after) {
    return before.saving(point) < point.saving(after);
  }
}
