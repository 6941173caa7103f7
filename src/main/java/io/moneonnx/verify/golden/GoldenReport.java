package io.moneonnx.verify.golden;

import java.util.List;
import java.util.Optional;

/**
 * What came of holding a model against recorded outputs.
 *
 * @param inputs what is wrong with its inputs, so that it was not run
 * @param outputs every recorded output, then those that were not recorded, in graph order
 * @param flips choices that are not the recorded ones, the first of each sequence
 * @param routing what else there is to say of its routers
 * @param positions how many were fed, hidden ones excluded
 * @param leftOut how many of them stand behind a flip
 */
public record GoldenReport(
    List<String> inputs,
    List<OutputCheck> outputs,
    List<Flip> flips,
    Routing routing,
    long positions,
    long leftOut) {
  public GoldenReport {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    flips = List.copyOf(flips);
  }

  /** How the routers of the model go with those that were recorded. */
  public enum Routing {
    /** Their choices were compared. */
    COMPARED,
    /**
     * There are others than were recorded: positions behind a near tie are compared all the same.
     */
    UNLIKE,
    /** None were recorded. */
    NONE
  }

  /**
   * A choice of other experts than were recorded.
   *
   * @param gap between the lowest score that was chosen and the highest that was not
   * @param bound what rounding may turn over
   */
  public record Flip(String router, String place, double gap, double bound) {
    public boolean isRounding() {
      return gap <= bound;
    }
  }

  /**
   * How one output compares.
   *
   * @param relative the relative tolerance
   * @param rows compared
   * @param moved rows of which a figure is further off than is allowed
   * @param worst the largest error as a part of what is allowed
   * @param failure what is wrong, at its first place in the order of runs and positions
   */
  public record OutputCheck(
      String name,
      double relative,
      long rows,
      long moved,
      double worst,
      Optional<Deviation> failure) {}

  /**
   * A row of an output.
   *
   * @param run counted from 0
   * @param row counted from 0
   * @param text the same in words
   */
  public record Place(int run, int row, String text) {}

  /** The first that is wrong with an output. */
  public sealed interface Deviation {
    /** In words, to stand behind the output's name. */
    String text();

    /** A row that moved. */
    record Moved(Place place, Figure figure, double recorded, double found, double allowed)
        implements Deviation {
      @Override
      public String text() {
        return "moved at %s: %s recorded %.7g, found %.7g, off by %.1e, allowed %.1e"
            .formatted(place.text(), figure, recorded, found, Math.abs(found - recorded), allowed);
      }
    }

    /** Something that has no measure. */
    record Unlike(String text) implements Deviation {}
  }

  /** True if everything is as it was recorded, up to rounding. */
  public boolean holds() {
    return inputs.isEmpty()
        && outputs.stream().allMatch(output -> output.failure().isEmpty())
        && flips.stream().allMatch(Flip::isRounding);
  }
}
