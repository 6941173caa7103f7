package io.moneonnx.plan;

import io.moneonnx.graph.BadInputException;
import io.moneonnx.profile.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which decisions hang on the data that happened to be there: those that flip in any plan that is
 * made with one shard of the data left out.
 *
 * @param shards that were left out in turn
 * @param unstable experts by block, in the plan's order
 */
public record Stability(int shards, List<SortedSet<Integer>> unstable) {
  public Stability {
    unstable = List.copyOf(unstable);
  }

  /** Not known where fewer than two shards hold data, nor for widths: shards have no moments. */
  public static Optional<Stability> of(Profile profile, Goal goal) {
    if (goal.narrow().isPresent()) {
      return Optional.empty();
    }
    Measurements exact = Measurements.of(profile);
    List<Measurements> parts = new Shards(profile, exact).leavingOneOut();
    if (parts.size() < 2) {
      return Optional.empty();
    }
    Selection planned = Planner.select(exact, goal);
    List<Selection> others = parts.stream().map(part -> select(part, goal, planned)).toList();
    List<SortedSet<Integer>> unstable = new ArrayList<>();
    for (int block = 0; block < planned.blocks(); block++) {
      SortedSet<Integer> flipped = new TreeSet<>();
      for (Selection other : others) {
        flipped.addAll(planned.differences(other, block));
      }
      unstable.add(flipped);
    }
    return Optional.of(new Stability(parts.size(), unstable));
  }

  /** None go where the goal cannot be reached. */
  private static Selection select(Measurements part, Goal goal, Selection planned) {
    try {
      return Planner.select(part, goal);
    } catch (BadInputException unreachable) {
      return Selection.none(planned.blocks());
    }
  }

  public int count() {
    return unstable.stream().mapToInt(Set::size).sum();
  }
}
