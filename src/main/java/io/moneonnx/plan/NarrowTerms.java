package io.moneonnx.plan;

import static java.util.stream.Collectors.joining;

import io.moneonnx.graph.BadInputException;
import java.util.Collections;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What widths of experts keep to.
 *
 * @param weights what an expert's error counts for
 * @param step widths are multiples of it; if absent of 16, or of the largest power of 2 that
 *     divides the neurons of an expert and leaves four steps to them
 * @param minWidth neurons that every expert keeps at least
 * @param stacks what experts whose weights are stacked may have
 * @param atomWidth neurons of an atom; if absent an eighth of those of an expert
 * @param tagFloors by tag, how much of the part of {@link KeptEnergy} that all data keep its data
 *     keep at least: above 0, at most 1
 * @param requantize whether quantised down projections are re-fitted and quantised again
 */
public record NarrowTerms(
    Weighting weights,
    OptionalInt step,
    int minWidth,
    Stacks stacks,
    OptionalInt atomWidth,
    SortedMap<String, Double> tagFloors,
    boolean requantize) {
  /** Balanced weights, the usual step, any width. */
  public static final NarrowTerms DEFAULT =
      new NarrowTerms(Weighting.BALANCED, OptionalInt.empty(), 0);

  /** What experts of a block whose weights are stacked may have. */
  public enum Stacks {
    /** Atoms where one width is predicted to cost more than 5% more damage, else one width. */
    CHEAPER,
    /** Each a width of its own, a multiple of an atom's. */
    ATOMS,
    /** One width. */
    UNIFORM;

    /** As it is asked for on a command line, without dashes. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public NarrowTerms {
    tagFloors = Collections.unmodifiableSortedMap(new TreeMap<>(tagFloors));
    tagFloors.forEach(NarrowTerms::requirePart);
    if (minWidth < 0) {
      throw new BadInputException("min-width: found %d, expected 0 or more".formatted(minWidth));
    } else if (step.isPresent() && step.getAsInt() < 1) {
      throw new BadInputException("step: found %d, expected 1 or more".formatted(step.getAsInt()));
    } else if (atomWidth.isPresent() && atomWidth.getAsInt() < 1) {
      throw new BadInputException(
          "atom-width: found %d, expected 1 or more".formatted(atomWidth.getAsInt()));
    } else if (atomWidth.isPresent() && stacks == Stacks.UNIFORM) {
      throw new BadInputException("atom-width with uniform: experts of one width have no atoms");
    }
  }

  /** Quantised down projections keep their columns as they are. */
  public NarrowTerms(
      Weighting weights,
      OptionalInt step,
      int minWidth,
      Stacks stacks,
      OptionalInt atomWidth,
      SortedMap<String, Double> tagFloors) {
    this(weights, step, minWidth, stacks, atomWidth, tagFloors, false);
  }

  /** Stacked experts have what costs less. */
  public NarrowTerms(Weighting weights, OptionalInt step, int minWidth) {
    this(weights, step, minWidth, Stacks.CHEAPER, OptionalInt.empty(), new TreeMap<>());
  }

  private static void requirePart(String tag, double floor) {
    if (!(floor > 0 && floor <= 1)) {
      throw new BadInputException(
          "tag-floor %s: found %s, expected a number above 0, at most 1".formatted(tag, floor));
    }
  }

  /** As they are asked for on a command line, without dashes. */
  @Override
  public String toString() {
    return "method narrow, weights "
        + weights
        + (step.isPresent() ? ", step " + step.getAsInt() : "")
        + (minWidth > 0 ? ", min-width " + minWidth : "")
        + (stacks == Stacks.CHEAPER ? "" : ", " + stacks)
        + (atomWidth.isPresent() ? ", atom-width " + atomWidth.getAsInt() : "")
        + tagFloors.entrySet().stream().map(floor -> ", tag-floor " + floor).collect(joining())
        + (requantize ? ", requantize" : "");
  }
}
