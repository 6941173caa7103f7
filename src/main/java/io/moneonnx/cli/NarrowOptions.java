package io.moneonnx.cli;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.plan.NarrowTerms;
import io.moneonnx.plan.NarrowTerms.Stacks;
import io.moneonnx.plan.Weighting;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** The options that say how wide narrow experts are. */
final class NarrowOptions {
  @Option(
      names = "--weights",
      description =
          "What an expert's error counts for with --method narrow: its part in the calibration data"
              + " (home), the same for all experts (even), or between the two: ${COMPLETION-CANDIDATES}"
              + " (default: balanced).")
  private Weighting weights;

  @Option(
      names = "--step",
      paramLabel = "Q",
      description =
          "Widths of experts are multiples of Q (default: 16, or the largest power of 2 that divides"
              + " the neurons of an expert and leaves four steps to them).")
  private Integer step;

  @Option(
      names = "--min-width",
      paramLabel = "N",
      description = "Neurons that every expert keeps at least (default: 0).")
  private Integer minWidth;

  @Option(
      names = "--atoms",
      description =
          "Experts whose weights are stacked have widths of their own: slices of one width stand for"
              + " them (default: where one width costs more than 5%% more predicted damage).")
  private boolean atoms;

  @Option(
      names = "--uniform",
      description = "All experts of a block whose weights are stacked have one width.")
  private boolean uniform;

  @Option(
      names = "--atom-width",
      paramLabel = "W",
      description =
          "Neurons of a slice, a divisor of those of an expert that makes 16 slices of it at most"
              + " (default: an eighth).")
  private Integer atomWidth;

  @Option(
      names = "--tag-floor",
      paramLabel = "TAG=F",
      description =
          "What experts put out for data of TAG keeps at least F (0 to 1) of the part that it keeps for"
              + " all data, as predicted; may be repeated.")
  private SortedMap<String, Double> tagFloors;

  @Option(
      names = "--requantize",
      description =
          "Re-fit down projections that are quantised, and round them to integers again, of their bits"
              + " and blocks (default: what is left of them stays as it is).")
  private boolean requantize;

  /** What was given, by name of option. */
  Map<String, Object> given() {
    Map<String, Object> given = new LinkedHashMap<>();
    given.put("--weights", weights);
    given.put("--step", step);
    given.put("--min-width", minWidth);
    given.put("--atoms", atoms ? true : null);
    given.put("--uniform", uniform ? true : null);
    given.put("--atom-width", atomWidth);
    given.put("--tag-floor", tagFloors);
    given.put("--requantize", requantize ? true : null);
    given.values().removeIf(Objects::isNull);
    return given;
  }

  /** Throws where some are given and nothing is narrowed. */
  void requireNone() {
    if (!given().isEmpty()) {
      throw new BadInputException(
          "%s requires --method narrow".formatted(String.join(" and ", given().keySet())));
    }
  }

  NarrowTerms terms() {
    return new NarrowTerms(
        weights == null ? NarrowTerms.DEFAULT.weights() : weights,
        step == null ? OptionalInt.empty() : OptionalInt.of(step),
        minWidth == null ? 0 : minWidth,
        stacks(),
        atomWidth == null ? OptionalInt.empty() : OptionalInt.of(atomWidth),
        tagFloors == null ? new TreeMap<>() : tagFloors,
        requantize);
  }

  private Stacks stacks() {
    if (atoms && uniform) {
      throw new BadInputException("--atoms and --uniform exclude each other; give one");
    }
    return atoms ? Stacks.ATOMS : uniform ? Stacks.UNIFORM : Stacks.CHEAPER;
  }
}
