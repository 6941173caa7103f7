package io.moneonnx.verify.golden;

import io.moneonnx.data.Batch;
import io.moneonnx.verify.golden.GoldenReport.Deviation;
import io.moneonnx.verify.golden.GoldenReport.Flip;
import io.moneonnx.verify.golden.GoldenReport.OutputCheck;
import io.moneonnx.verify.golden.GoldenReport.Routing;
import io.moneonnx.verify.golden.WatchedModel.Seen;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Holds a model against recorded outputs. Where it chooses other experts over a gap that rounding
 * may turn over, what stands behind that in the same sequence is left out.
 */
public final class GoldenCheck {
  private final Golden golden;
  private final WatchedModel model;
  private Routing routing;
  private final Map<String, OutputTally> tallies = new LinkedHashMap<>();
  private final List<String> given;
  private final List<Flip> flips = new ArrayList<>();
  private long positions;
  private long leftOut;

  /** Of a model that is open. */
  public GoldenCheck(Golden golden, WatchedModel model, Tolerance tolerance) {
    this.golden = golden;
    this.model = model;
    this.routing = routing(golden.routers(), model.routers());
    this.given = model.outputs().stream().map(Golden.Output::name).toList();
    golden.outputs().stream()
        .filter(output -> given.contains(output.name()))
        .forEach(output -> tallies.put(output.name(), new OutputTally(output, tolerance)));
  }

  private static Routing routing(List<Golden.Router> recorded, List<Golden.Router> found) {
    if (recorded.isEmpty()) {
      return Routing.NONE;
    }
    return sizes(recorded).equals(sizes(found)) ? Routing.COMPARED : Routing.UNLIKE;
  }

  private static List<List<Integer>> sizes(List<Golden.Router> routers) {
    return routers.stream().map(router -> List.of(router.experts(), router.topK())).toList();
  }

  /** What is wrong with the model's inputs; nothing where every recorded run can be fed to it. */
  public List<String> inputs() {
    return golden.runs().stream()
        .flatMap(run -> InputFit.of(model.inputs(), run.fed().feeds()).stream())
        .distinct()
        .toList();
  }

  /** False where a router has fewer scores than it had, such as one of which experts were cut. */
  private static boolean isAlike(Golden.Run recorded, Seen seen) {
    return IntStream.range(0, seen.choices().size())
        .filter(i -> recorded.choices().get(i).length > 0)
        .allMatch(i -> seen.choices().get(i).isOf(recorded.choices().get(i).length));
  }

  /** Runs the model on what was recorded {@code run}th, counted from 0. */
  public void add(int run) {
    Golden.Run recorded = golden.runs().get(run);
    Batch fed = recorded.fed();
    Optional<TokenGrid> grid = TokenGrid.of(fed, golden.tokens());
    Seen seen = model.run(fed);
    if (routing == Routing.COMPARED && !isAlike(recorded, seen)) {
      routing = Routing.UNLIKE;
    }
    ComparablePositions compared =
        new ComparablePositions(
            run, fed, grid, grid.map(g -> same(g, recorded, seen)).orElse(List.of()));
    positions += grid.map(GoldenCheck::shown).orElse(0L);
    leftOut += compared.leftOut();
    for (int output = 0; output < golden.outputs().size(); output++) {
      String name = golden.outputs().get(output).name();
      if (tallies.containsKey(name)) {
        tallies.get(name).add(recorded.sketches().get(output), seen.values().get(name), compared);
      }
    }
  }

  private static long shown(TokenGrid grid) {
    long shown = 0;
    for (int token = 0; token < grid.tokens(); token++) {
      shown += grid.isShown(token) ? 1 : 0;
    }
    return shown;
  }

  /**
   * By sequence how many positions come before a choice that rounding turned over. A choice of
   * others that is none hides nothing: what stands behind it has moved.
   */
  private List<Integer> same(TokenGrid grid, Golden.Run recorded, Seen seen) {
    List<Integer> same = new ArrayList<>();
    for (int sequence = 0; sequence < grid.sequences(); sequence++) {
      OptionalInt position = firstFlip(sequence, grid, recorded, seen);
      boolean isRounding = position.isPresent() && flips.get(flips.size() - 1).isRounding();
      same.add(isRounding ? position.getAsInt() : grid.length());
    }
    return same;
  }

  private OptionalInt firstFlip(int sequence, TokenGrid grid, Golden.Run recorded, Seen seen) {
    for (int position = 0; position < grid.length(); position++) {
      int token = sequence * grid.length() + position;
      Optional<Flip> flip =
          grid.isShown(token) ? flip(token, grid, recorded, seen) : Optional.empty();
      if (flip.isPresent()) {
        flips.add(flip.get());
        return OptionalInt.of(position);
      }
    }
    return OptionalInt.empty();
  }

  /** What the first router does in graph order that chooses other experts for a token. */
  private Optional<Flip> flip(int token, TokenGrid grid, Golden.Run recorded, Seen seen) {
    for (int i = 0; routing == Routing.COMPARED && i < golden.routers().size(); i++) {
      int[] hashes = recorded.choices().get(i);
      ExpertChoices found = seen.choices().get(i);
      if (hashes.length > 0 && found.hash(token) != hashes[token]) {
        Golden.Router router = golden.routers().get(i);
        String place = recorded.fed().place(token, grid.tokens());
        return Optional.of(new Flip(router.name(), place, found.gap(token), Tolerance.gap(router)));
      }
    }
    return Optional.empty();
  }

  /** What came of the runs so far. */
  public GoldenReport report() {
    List<OutputCheck> outputs = new ArrayList<>();
    for (Golden.Output output : golden.outputs()) {
      outputs.add(
          tallies.containsKey(output.name())
              ? tallies.get(output.name()).check()
              : unlike(
                  output.name(),
                  "is missing; the model outputs "
                      + given.stream().collect(Collectors.joining("', '", "'", "'"))));
    }
    given.stream()
        .filter(name -> !tallies.containsKey(name))
        .forEach(name -> outputs.add(unlike(name, "was not recorded")));
    return new GoldenReport(List.of(), outputs, flips, routing, positions, leftOut);
  }

  private static OutputCheck unlike(String name, String why) {
    return new OutputCheck(name, 0, 0, 0, 0, Optional.of(new Deviation.Unlike(why)));
  }

  /** What came of a model that cannot be run on what was recorded. */
  public GoldenReport refused(List<String> inputs) {
    return new GoldenReport(inputs, List.of(), List.of(), routing, 0, 0);
  }
}
